"""The report of a table: what its runs reached, in the paper's layout, beside the paper's numbers.

The data flows one way: `runs` -> `cells` -> tables of text, here, and `plots` -> `page`.
"""

import itertools
import logging
import pathlib
import shlex
import statistics
import time

from resizemix_jax.errors import ConfigError
from resizemix_jax.report import page as report_page
from resizemix_jax.report import plots, runs
from resizemix_jax.report.cells import collect, reached

log = logging.getLogger(__name__)

ACCURACIES = {
    'last': 'of the last evaluation',
    'best': 'of the best evaluation, which the test split itself has chosen: too high by a little',
    'median10': 'the median of the last 10 evaluations',
}
NONE = '–'


def write(directory, layout, accuracy='last', refresh=0):
    """Writes report.md, report.html and the pictures of the former into `directory`.

    Args:
        directory: whose runs, and those below, are reported.
        layout: `cells.Layout` of the table.
        accuracy: a key of ACCURACIES.
        refresh: seconds after which a browser loads the page again; 0 for never.

    Returns:
        The paths of the two pages.

    Raises:
        ConfigError: there is no run of the table.
    """
    directory = pathlib.Path(directory)
    groups, problems = collect(directory, layout)
    sections = [_section(group, layout, accuracy, whole=k == 0) for k, group in enumerate(groups)]
    legend = (
        f'Top-1 in %, {ACCURACIES[accuracy]}: mean ± sample standard deviation over seeds (how many seeds). '
        'An unfinished run counts in no number.'
    )
    page = report_page.Page(layout.title, legend, sections, problems)
    return report_page.write(page, directory, refresh)


def watch(directory, layout, accuracy, interval):
    """Writes the report every `interval` seconds until Ctrl-C, then a last time; waits for the first run."""
    try:
        while True:
            try:
                log.info('Written: %s', ', '.join(map(str, write(directory, layout, accuracy, interval))))
            except ConfigError as error:
                log.info('Waiting: %s', error)
            time.sleep(interval)
    except KeyboardInterrupt:
        return write(directory, layout, accuracy)


def _section(group, layout, accuracy, whole):
    """What the page says of a group; `whole` lists the rows that were not run, too."""
    remarks = []
    if not group.marks:
        heading = "Runs of the table's own configs"
    else:
        heading = 'Runs that differ: ' + ', '.join(mark.partition(' (')[0] for mark in group.marks)
        remarks.append('Differs from the table in: ' + '; '.join(group.marks))
    if not group.comparable and any(row['paper'] for row in layout.rows):
        remarks.append(
            "Another network, dataset or length of training than the paper's: its numbers are not comparable."
        )
    rows = [
        row for row in layout.rows if whole or any((row['row'], c) in group.cells for c in layout.columns)
    ]
    if group.marks:  # a column of which nothing was run in this way says nothing
        used = tuple(c for c in layout.columns if any(column == c for _, column in group.cells))
        layout = layout._replace(columns=used)
    refused = {}
    for row in rows:
        if 'refused' in row:
            refused.setdefault(row['refused'], []).append(row['title'])
    return report_page.Section(
        heading=heading,
        remarks=remarks,
        results=results_table(group, layout, rows, accuracy),
        notes=[f'Refused: {", ".join(titles)}: {reason}.' for reason, titles in refused.items()],
        pictures=plots.section(group, layout, accuracy),
        details=details_table(group, layout, rows),
        commands=_commands(group, layout, rows),
    )


def results_table(group, layout, rows, accuracy):
    """The paper's layout: a line a row; for each column ours, the paper's and the difference."""
    costs = any('cost' in row['paper'] for row in layout.rows)
    printed = any(row['paper'].keys() - {'cost'} for row in layout.rows)
    header = ['Row'] + (['cost, GPU h'] if costs else [])
    for column in layout.columns:
        header += [f'{column}: ours', 'paper', 'difference'][
            : 1 if not printed else 3 if group.comparable else 2
        ]
    lines = []
    for row in rows:
        line = [row['title']] + ([_number(row['paper'].get('cost'), 'g')] if costs else [])
        for column in layout.columns:
            seeds = group.cells.get((row['row'], column), [])
            paper = row['paper'].get(column)
            line.append('refused' if 'refused' in row else ours(seeds, accuracy))
            values = reached(seeds, accuracy)
            difference = statistics.mean(values) - paper if values and paper is not None else None
            if printed:
                line.append(_number(paper, '.2f'))
            if printed and group.comparable:
                line.append(_number(difference, '+.2f'))
        lines.append(tuple(line))
    return report_page.Table(tuple(header), lines)


def details_table(group, layout, rows):
    """What the runs took, and how far the unfinished ones are."""
    header = ('Row', 'column', 'seeds', 'time a run', 'images/s', 'hardware', 'unfinished')
    lines = []
    for row in rows:
        for column in layout.columns:
            seeds = group.cells.get((row['row'], column), [])
            done = [run for run in seeds if run.result]
            if seeds:
                seconds, rate = (
                    statistics.mean(run.result[key] for run in done) if done else None
                    for key in ('seconds', 'images_per_second')
                )
                numbers = ', '.join(str(run.config['seed']) for run in done) or NONE
                hardware = '; '.join(sorted({run.result['device'] for run in done})) or NONE
                open_ = [f'seed {run.config["seed"]}: {runs.status(run)}' for run in seeds if not run.result]
                unfinished = '; '.join(open_) or NONE
                times = runs.duration(seconds) if done else NONE
                lines.append(
                    (row['title'], column, numbers, times, _number(rate, ',.0f'), hardware, unfinished)
                )
    keep = [True, len(layout.columns) > 1, *[True] * 4, any(line[-1] != NONE for line in lines)]
    header, *lines = (tuple(itertools.compress(line, keep)) for line in (header, *lines))
    return report_page.Table(header, lines)


def ours(seeds, accuracy):
    """What the runs of a cell reached, in words."""
    values = reached(seeds, accuracy)
    running = [f'{runs.progress(run):.0%}' for run in seeds if not run.result]
    if not seeds:
        return 'not run'
    if not values:
        return f'at {", ".join(running)}'
    spread = f' ± {statistics.stdev(values):.2f}' if len(values) > 1 else ''
    more = f', more at {", ".join(running)}' if running else ''
    return f'{statistics.mean(values):.2f}{spread} ({len(values)}{more})'


def _commands(group, layout, rows):
    """The command of one seed of every cell."""
    titles = {row['row']: k for k, row in enumerate(rows)}
    first = [seeds[0] for _, seeds in sorted(group.cells.items(), key=lambda item: titles[item[0][0]])]
    flags = [layout.flags(run.config, group.overrides, run.path) for run in first]
    return ['# one seed of every row', *(shlex.join(['python', 'main.py', *some]) for some in flags)]


def _number(value, form):
    return NONE if value is None else format(value, form).replace('-', '−')
