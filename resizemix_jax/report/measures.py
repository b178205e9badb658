"""What --mode=evaluate has measured of the runs besides their score: tables of calibration and robustness.

A column is there where a run has its number. Only evaluations of the run's own config and data count, of the
checkpoint at its end, and those of `dataset=cifar_c` with all severities; of several the newest that has the
number.
"""

import statistics

from resizemix_jax import perturbations
from resizemix_jax.datasets import cifar_c
from resizemix_jax.find import names
from resizemix_jax.report.page import NONE, TextTable

PUBLISHED = 'published'
EXTRA = 'gaussian_blur', 'saturate', 'spatter', 'speckle_noise'  # published, and not of the benchmark's mean
# Title, name of the value, factor, decimals.
CALIBRATION = (
    ('ECE, %', 'ece', 100, 2), ('NLL', 'nll', 1, 4), ('Brier score', 'brier', 1, 4),
    ('temperature', 'temperature', 1, 3), ('ECE with it, %', 'ece_scaled', 100, 2),
    ('NLL with it', 'nll_scaled', 1, 4),
)  # fmt: skip


def of_run(rows, steps):
    """The values of the evaluations that count: name -> number; the names begin with `last_` and `best_`.

    Args:
        rows: of evaluations.jsonl.
        steps: of the finished run.
    """
    values = {}
    for row in rows:
        start = _start(row)
        if start is None or row.get('last_step') != steps or row.get('split', 'eval') != 'eval':
            continue
        values |= {
            f'{name[:5]}{start}{name[5:]}': value
            for name, value in row.items()
            if name.startswith(('last_', 'best_')) and _is_number(value)
        }
    return values


def _start(row):
    """What stands before the names of a row's values: '' or the published corruption; None if none count."""
    changes = row.get('changes')
    if changes == []:
        return ''
    try:
        changed = {key: value for key, _, value in changes}
    except (TypeError, ValueError):  # damaged
        return None
    corruption = changed.pop('dataset_args.corruption', '')
    whole = changed.pop('dataset_args.severity', 0) == 0
    data = all(str(key).partition('.')[0] in ('dataset', 'dataset_args', 'data_dir') for key in changed)
    published = whole and data and str(changed.get('dataset')).startswith('cifar_c:')
    return f'{PUBLISHED}_{corruption}_' if published else None


def tables(group, rows, columns, accuracy):
    """The TextTables of a group of runs, without those that would be empty.

    Args:
        group: `cells.Group`.
        rows: `tables.Row`s.
        columns: names.
        accuracy: 'best' shows the best checkpoints, any other the last.
    """
    network = 'best' if accuracy == 'best' else 'last'
    cells = [cell for cell in group.by_row(rows, columns) if any(run.evaluated for run in cell[2])]
    scores = sorted({run.score for _, _, seeds in cells for run in seeds})
    kinds = [CALIBRATION]
    for score in scores:
        kinds += [_robustness(score), _corruptions(score), _published(score)]
    made = [_table(group, cells, kind, network, columns) for kind in kinds]
    return [table for table in made if table.lines]


def _robustness(score):
    """The columns of FGSM, occlusion and half the resolution."""
    made = [(f'FGSM {level}/255, %', f'fgsm_{level}_{score}') for level in perturbations.LEVELS]
    made += [(f'occlusion {share} %, %', f'occlusion_{share}_{score}') for share in perturbations.PERCENT]
    made += [(f'half, {how}, %', f'half_{how}_{score}') for how in perturbations.HALVES]
    return [(title, name, 100, 2) for title, name in made]


def _corruptions(score):
    """The columns of the corruptions: the mean of all, and each one's mean over its severities."""
    made = [('corruptions, %', (f'{perturbations.CORRUPTIONS}_{score}',))]
    for name in names(perturbations.CORRUPTIONS):
        keys = tuple(f'{name}_{severity}_{score}' for severity in perturbations.SEVERITIES)
        made.append((f'{name}, %', keys))
    return [(title, keys, 100, 2) for title, keys in made]


def _published(score):
    """The columns of CIFAR-C as published."""
    of_paper = tuple(f'{PUBLISHED}_{name}_{score}' for name in cifar_c.CORRUPTIONS if name not in EXTRA)
    made = [('CIFAR-C, %', of_paper)]
    made += [(f'CIFAR-C {name}, %', f'{PUBLISHED}_{name}_{score}') for name in cifar_c.CORRUPTIONS]
    return [(title, keys, 100, 2) for title, keys in made]


def _table(group, cells, kind, network, columns):
    lines = []
    for row, column, seeds in cells:
        done = [run.evaluated for run in seeds]
        own = [_shown(done, keys, network, factor, decimals) for _, keys, factor, decimals in kind]
        if any(text != NONE for text in own):
            lines.append([row.title, *([group.title(column)] if len(columns) > 1 else []), *own])
    first = ['Row', *(['column'] if len(columns) > 1 else [])]
    header = [*first, *(f'{title} ({network})' for title, *_ in kind)]
    used = [k for k in range(len(header)) if k < len(first) or any(line[k] != NONE for line in lines)]
    return TextTable(tuple(header[k] for k in used), [tuple(line[k] for k in used) for line in lines])


def _shown(done, keys, network, factor, decimals):
    """Mean ± standard deviation over the runs that have all of `keys`, with their number, as text."""
    wanted = [f'{network}_{key}' for key in ((keys,) if isinstance(keys, str) else keys)]
    values = [
        factor * statistics.mean(one[key] for key in wanted)
        for one in done
        if all(key in one for key in wanted)
    ]
    if not values:
        return NONE
    spread = f' ± {statistics.stdev(values):.{decimals}f}' if len(values) > 1 else ''
    return f'{statistics.mean(values):.{decimals}f}{spread} ({len(values)})'


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float('inf')
