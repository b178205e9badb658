"""The report of a table: the scores of its runs in the paper's layout, beside the paper's numbers.

The data flows one way: `runs` -> `cells` -> tables of text, here and in `origins`, and `plots` -> `page`.
"""

import itertools
import logging
import pathlib
import statistics
import time

from resizemix_jax.errors import ConfigError
from resizemix_jax.input.held_out import HELD_OUT
from resizemix_jax.report import cells, measures, origins, page, plots, runs
from resizemix_jax.report.page import NONE, TextTable
from resizemix_jax.run.clock import unit
from resizemix_jax.table_rules import COST

log = logging.getLogger(__name__)

ACCURACIES = {
    'last': 'of the last evaluation',
    'best': 'of the best evaluation',
    'median10': 'the median of the last 10 evaluations',
}


def write(directory, table, path, accuracy='last', refresh=0):
    """Writes report.md, report.html and the pictures of the former into `directory`.

    Args:
        directory: whose runs, and those below, are reported.
        table: `tables.Table`.
        path: of its file, for the commands.
        accuracy: a key of ACCURACIES.
        refresh: seconds after which a browser reloads the page; 0 for never.

    Returns:
        The paths of the two pages.

    Raises:
        ConfigError: there is no run of the table.
    """
    directory = pathlib.Path(directory)
    groups, problems = cells.collect(directory, table)
    sections = [
        _section(group, table, path, accuracy, directory, whole=k == 0) for k, group in enumerate(groups)
    ]
    for line in problems:
        log.warning('%s', line)
    title = cells.score_title([run for group in groups for run in group.runs])
    legend = (
        f'{title[0].upper()}{title[1:]} in %, {ACCURACIES[accuracy]}: mean ± sample standard deviation over '
        'seeds (number of seeds). Unfinished runs are not counted.'
    )
    return page.write(page.Page(_title(groups, table), legend, sections, problems), directory, refresh)


def watch(directory, table, path, accuracy, interval):
    """Writes the report every `interval` seconds until Ctrl-C, then once more; waits for the first run."""
    try:
        while True:
            try:
                written = write(directory, table, path, accuracy, interval)
                log.info('Written: %s', ', '.join(map(str, written)))
            except ConfigError as error:
                log.info('Waiting: %s', error)
            time.sleep(interval)
    except KeyboardInterrupt:
        return write(directory, table, path, accuracy)


def _section(group, table, path, accuracy, directory, whole):
    """The section of a group; `whole` lists the rows without a run, too."""
    columns = [column.name for column in table.columns]
    used = [column for column in columns if any(other == column for _, other in group.cells)]
    columns = used if group.differences else columns  # an empty column of other runs says nothing
    rows = [row for row in table.rows if whole or any((row.name, c) in group.cells for c in columns)]
    pictures = plots.section(group, table, accuracy)
    details = [
        *measures.tables(group, rows, columns, accuracy),
        details_table(group, rows, columns),
        origins.started_from(group, rows, columns, accuracy, directory),
        origins.made_with(group, rows, columns),
    ]
    return page.Section(
        heading=_heading(group),
        remarks=_remarks(group, table, accuracy),
        results=results_table(group, table, rows, columns, accuracy),
        notes=_notes(group, rows, columns, accuracy, pictures),
        pictures=pictures,
        details=[text for text in details if text.lines],
        commands=['# one seed of every row', *origins.commands(group, table, path, rows, columns)],
    )


def _title(groups, table):
    """The table's title, unless no run has the networks and the data that it names."""
    if not all(group.renamed for group in groups):
        return table.title
    return f'Rows of {table.name} with {" and ".join(dict.fromkeys(group.settings for group in groups))}'


def _heading(group):
    if not group.differences:
        return "Runs of the table's own configs"
    return 'Runs that differ: ' + ', '.join(f'{key}={value}' for key, _, value in group.differences)


def _remarks(group, table, accuracy):
    remarks = ['Differs from the table in: ' + '; '.join(group.labels)] if group.differences else []
    if not group.comparable and any(row.paper for row in table.rows):
        remarks.append(
            f"Trained here: {group.settings}. The paper's numbers are of another network, dataset or length "
            'and not shown.'
        )
    return remarks + _splits(group, accuracy)


def _splits(group, accuracy):
    """Sentences on the splits that the runs were evaluated on."""
    held, remarks = cells.held_out(group.runs), []
    if accuracy == 'best' and len(held) < len(group.runs):
        remarks.append(
            'The best evaluation was chosen on the test split itself, so its number is slightly too high.'
        )
    if held:
        shares = ', '.join(f'{share:g}' for share in sorted({run.config['held_out'] for run in held}))
        remarks.append(
            f'held_out={shares}: during the training these runs were evaluated on a part of the training '
            'images that they were not trained on. The best state was chosen there, and the learning curves '
            'show it. "ours" is of the test split, measured once, after the last step.'
        )
    return remarks


def _notes(group, rows, columns, accuracy, pictures):
    """Sentences on what is missing: refused rows, runs without the score asked for, the plot of the costs."""
    refused = {}
    for row in rows:
        if row.refused:
            refused.setdefault(row.refused, []).append(row.title)
    notes = [f'Refused: {", ".join(titles)}: {reason}.' for reason, titles in refused.items()]
    notes += _not_counted(group, rows, columns, accuracy)
    priced = [
        row for row, _, seeds in group.by_row(rows, columns)
        if COST in row.paper and cells.reached(seeds, accuracy)
    ]  # fmt: skip
    if group.comparable and priced and not any(picture.name.startswith(COST) for picture in pictures):
        notes.append("There is no plot against the paper's cost, since that is 0 for all rows.")
    return notes


def _not_counted(group, rows, columns, accuracy):
    """Sentences on the finished runs that lack the score asked for."""
    reasons = {
        False: 'The median of the last 10 evaluations needs 10; these runs have fewer',
        True: 'The last 10 evaluations of these runs were on a held-out part, not on the test split; they',
    }
    found = {}
    for row, column, seeds in group.by_row(rows, columns):
        for run in seeds:
            if run.result and run.reached(accuracy) is None:
                name = f'{row.title}, {group.title(column)} (seed {run.seed})'
                found.setdefault(run.evaluated_on == HELD_OUT, []).append(name)
    return [f'{reasons[held]} and are not counted: {"; ".join(names)}.' for held, names in found.items()]


def results_table(group, table, rows, columns, accuracy):
    """The paper's layout: a line per row; for each column ours, the paper's and the difference."""
    costs = group.comparable and any(COST in row.paper for row in table.rows)
    printed = group.comparable and any(row.paper.keys() - {COST} for row in table.rows)
    shown, held = 3 if printed else 1, cells.held_out(group.runs)
    header = ['Row'] + (['cost, GPU h'] if costs else [])
    for column in columns:
        header += [f'{group.title(column)}: ours', 'paper', 'difference'][:shown]
        header += [f'{group.title(column)}: held-out part'] if held else []
    lines = []
    for row in rows:
        line = [row.title] + ([_number(row.paper.get(COST), 'g')] if costs else [])
        for column in columns:
            seeds, paper = group.cells.get((row.name, column), []), row.paper.get(column)
            values = cells.reached(seeds, accuracy)
            difference = statistics.mean(values) - paper if values and paper is not None else None
            own = 'refused' if row.refused else ours(seeds, accuracy)
            line += [own, _number(paper, '.2f'), _number(difference, '+.2f')][:shown]
            line += [on_held_out(seeds, accuracy)] if held else []
        lines.append(tuple(line))
    return TextTable(tuple(header), lines)


def details_table(group, rows, columns):
    """The cost of the finished runs, and the progress of the unfinished ones."""
    header = (
        'Row', 'column', 'seeds', 'time per run', 'compilation', 'time per step', 'images/s', 'FLOP per step',
        'model FLOP utilization', 'hardware', 'unfinished',
    )  # fmt: skip
    lines = []
    for row, column, seeds in group.by_row(rows, columns):
        done = [run for run in seeds if run.result]
        rate, flops, used = (
            _mean(done, key) for key in ('images_per_second', 'flops_per_step', 'model_flops_utilization')
        )
        unfinished = [f'seed {run.seed}: {runs.status(run)}' for run in seeds if not run.result]
        lines.append((
            row.title, group.title(column), ', '.join(str(run.seed) for run in done) or NONE, *_times(seeds),
            _number(rate, ',.0f'), _number(flops, '.3g'), _number(used, '.1%'),
            '; '.join(sorted({run.result['device'] for run in done})) or NONE, '; '.join(unfinished) or NONE,
        ))  # fmt: skip
    optional = {'column': len(columns) > 1} | {
        header[k]: any(line[k] != NONE for line in lines) for k in (4, 5, 7, 8, 10)
    }
    keep = [optional.get(name, True) for name in header]
    header, *lines = (tuple(itertools.compress(line, keep)) for line in (header, *lines))
    return TextTable(header, lines)


def _times(seeds):
    """Of the finished runs, as text: the time without compilation, the compilation, the time of a step.

    Mean ± standard deviation over the seeds; of the steps the median and the quartiles.
    """
    values, included = cells.times(seeds)
    if not values:
        return NONE, NONE, NONE
    run = with_spread(values) + (' with compilation' if included else '')
    compiled = NONE if included else with_spread([r.result['compile_seconds'] for r in seeds if r.result])
    steps = cells.step_times(seeds)
    if not steps:
        return run, compiled, NONE
    low, middle, high = statistics.quantiles(steps, n=4, method='inclusive') if len(steps) > 1 else steps * 3
    name, size = unit(middle)
    return run, compiled, f'{middle / size:.3g} ({low / size:.3g}–{high / size:.3g}) {name}'


def with_spread(seconds):
    """The mean ± standard deviation of times, as text: three digits of the mean, and as many decimals."""
    mean = statistics.mean(seconds)
    name, size = unit(mean)
    decimals = 2 if mean < 10 * size else 1 if mean < 100 * size else 0
    spread = f' ± {statistics.stdev(seconds) / size:.{decimals}f}' if len(seconds) > 1 else ''
    return f'{mean / size:.{decimals}f}{spread} {name}'


def ours(seeds, accuracy):
    """The scores of the runs of a cell, as text."""
    values = cells.reached(seeds, accuracy)
    running = [f'{runs.progress(run):.0%}' for run in seeds if not run.result]
    if not seeds:
        return 'not run'
    if not values:
        none = 'not on the test split' if cells.held_out(seeds) else 'fewer than 10 evaluations'
        return f'at {", ".join(running)}' if running else none
    more = f', more at {", ".join(running)}' if running else ''
    return f'{_scores(values)} ({len(values)}{more})'


def on_held_out(seeds, accuracy):
    """The scores of the finished runs of a cell on their held-out parts, as text."""
    values = [value for run in seeds if (value := run.held_out(accuracy)) is not None]
    return f'{_scores(values)} ({len(values)})' if values else NONE


def _scores(values):
    """The mean ± standard deviation of scores, as text."""
    spread = f' ± {statistics.stdev(values):.2f}' if len(values) > 1 else ''
    return f'{statistics.mean(values):.2f}{spread}'


def _mean(done, key):
    """The mean of a number over the finished runs that have it, or None."""
    values = [run.result[key] for run in done if isinstance(run.result.get(key), int | float)]
    return statistics.mean(values) if values else None


def _number(value, form):
    return NONE if value is None else format(value, form).replace('-', '−')
