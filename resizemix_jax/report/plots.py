"""The report's plots, which can be read in print and without colour vision.

Matplotlib is imported when something is drawn, so that training does not pay for it.
"""

import contextlib
import io
import os
import statistics
import sys
from typing import NamedTuple

from resizemix_jax.report import runs
from resizemix_jax.report.cells import held_out, reached, times
from resizemix_jax.run.clock import unit
from resizemix_jax.table_rules import COST

# Okabe and Ito's colours without the yellow, which is faint on paper.
COLOURS = ('#000000', '#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00')
DASHES = ('-', '--', '-.', ':')
MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X', '*', '<', '>', 'p')
OURS = dict(color='#0072B2', marker='o', linestyle='none', markersize=6)
PAPER = dict(color='#000000', marker='o', linestyle='none', markersize=8, markerfacecolor='none')
WIDTH, HEIGHT = 4.7, 3.1  # inches
LINE = 0.22  # inches of a line of text
LONG = 24  # letters of a title, from which on a legend has two columns and not three
FONT_SIZE = 10  # points
MARKERS_A_LINE = 8


class Picture(NamedTuple):
    """A picture: the name of its file, a caption, and its SVG."""

    name: str
    caption: str
    svg: bytes


class Point(NamedTuple):
    """A row in a plot: its number in the table, which decides its style; its numbers; whether the paper's."""

    row: int
    title: str
    x: float
    y: float
    spread: float = 0.0
    paper: bool = False
    x_spread: float = 0.0


def section(group, table, accuracy):
    """The Pictures of a group of runs, column by column; a plot without data is left out."""
    title, pictures = group.score_title, []
    for column in (column.name for column in table.columns):
        seeds = {k: group.cells.get((row.name, column), []) for k, row in enumerate(table.rows)}
        lines = [(k, _title(row, seeds[k]), curve(seeds[k])) for k, row in enumerate(table.rows)]
        lines = [line for line in lines if line[2]]
        if lines:
            runs_of = [run for some in seeds.values() for run in some]
            held = len(held_out(runs_of))
            where = ' on the held-out part' + (', where there is one' if held < len(runs_of) else '')
            caption = (
                f'{group.title(column)}: {title} after each evaluation{where if held else ""}, mean over '
                'seeds, shaded ± standard deviation; the steep beginning may be cut off'
            )
            pictures.append(_draw(f'curves_{column}', caption, learning_curves, lines, title))
        points = by_row(group, table, column, accuracy)
        if any(not point.paper for point in points):
            pictures += _of_points(points, group, table, column, seeds)
    return pictures


def _of_points(points, group, table, column, seeds):
    """The Pictures of a column's scores: by row, against time, and against cost where the paper has it."""
    title, where = group.score_title, group.title(column)
    height = 0.6 + LINE * len({point.row for point in points})
    caption = f'{where}: {title} of every row; error bars are the standard deviation over seeds'
    pictures = [_draw(f'rows_{column}', caption, dots, points, title, height=height)]
    timed, name, whole = _times([point for point in points if not point.paper], seeds)
    caption = (
        f'{where}: {title} against the time of a run without compilation'
        f'{" (*: with it, since a run did not record it)" if whole else ""}; error bars are the standard '
        'deviation over seeds'
    )
    pictures.append(_draw(f'time_{column}', caption, scatter, timed, f'time of a run, {name}', title))
    costs = [row.paper.get(COST) if group.comparable else None for row in table.rows]
    priced = [point._replace(x=costs[point.row]) for point in points if costs[point.row] is not None]
    if any(not point.paper for point in priced) and any(point.x for point in priced):
        caption = f"{where}: {title} against the paper's cost of finding the method, GPU hours"
        label = "the paper's cost, GPU hours"
        pictures.append(_draw(f'cost_{column}', caption, scatter, priced, label, title))
    return pictures


def curve(seeds):
    """A row's learning curve: a list of (epoch, mean score in %, standard deviation).

    Of the finished runs, or else of the unfinished ones, at the evaluations that all of them have: a mean
    over another number of seeds at every step would jump.
    """
    seeds = [run for run in seeds if run.result] or seeds
    series = [dict(runs.evaluations(run)) for run in seeds]
    common = sorted(set.intersection(*map(set, series))) if series else []
    epoch = runs.epoch_of([row for run in seeds for row in run.rows])
    points = []
    for step in common:
        values = [100 * one[step] for one in series]
        points.append((epoch(step), statistics.mean(values), _spread(values)))
    return points


def by_row(group, table, column, accuracy):
    """The Points of a column: ours, and the paper's where they are comparable; x is the row's index."""
    points = []
    for k, row in enumerate(table.rows):
        values = reached(group.cells.get((row.name, column), []), accuracy)
        if values:
            points.append(Point(k, row.title, k, statistics.mean(values), _spread(values)))
        if group.comparable and column in row.paper:
            points.append(Point(k, row.title, k, row.paper[column], paper=True))
    return points


def learning_curves(axes, lines, score):
    """Draws a line for every (index, title, curve) of a score."""
    bottoms, half = [], max(points[-1][0] for _, _, points in lines) / 2
    for index, title, points in lines:
        x, mean, spread = (list(values) for values in zip(*points, strict=True))
        every = max(1, len(x) // MARKERS_A_LINE)
        axes.plot(x, mean, label=title, markevery=(index % every, every), **_style(index))
        bottoms += [m for e, m in zip(x, mean, strict=True) if e >= half] or mean[-1:]
        low, high = ([m + sign * s for m, s in zip(mean, spread, strict=True)] for sign in (-1, 1))
        axes.fill_between(x, low, high, color=_style(index)['color'], alpha=0.15, linewidth=0)
    # The methods differ at the end; with the steep beginning in view all would be one line.
    axes.set(xlabel='epoch', ylabel=f'{score}, %', xlim=(0, None), ylim=(min(bottoms) - 1, None))


def scatter(axes, points, label, score):
    """Draws each row's point at its x, which `label` names; the paper's are hollow."""
    mine = {point.row for point in points if not point.paper}
    for point in points:
        style = {**_style(point.row), 'linestyle': 'none', 'markersize': 7}
        if point.paper:
            style |= {'markerfacecolor': 'none', 'markersize': 10, 'zorder': 1}
        bar = {'yerr': point.spread} if point.spread else {}
        bar |= {'xerr': point.x_spread} if point.x_spread else {}
        title = None if point.paper and point.row in mine else point.title
        axes.errorbar(point.x, point.y, **bar, label=title, capsize=3, **style)
    xs = [point.x for point in points]
    if max(xs) > 10 * min(xs) > 0:
        axes.set_xscale('log')
    elif min(xs) == 0 and max(xs) > 10:
        axes.set_xscale('symlog', linthresh=0.1)
    else:
        axes.locator_params(axis='x', nbins=6)
    axes.set(xlabel=label, ylabel=f'{score}, %')


def dots(axes, points, score):
    """Draws a horizontal line for every row, in the table's order; the paper's points are hollow."""
    places = {index: -place for place, index in enumerate(sorted({point.row for point in points}))}
    for point in points:
        style = PAPER if point.paper else OURS
        bar = {'xerr': point.spread} if point.spread else {}
        axes.errorbar(point.y, places[point.row], **bar, capsize=3, **style)
    axes.plot([], [], label='ours', **OURS)
    titles = {places[point.row]: point.title for point in points}
    axes.set_yticks(list(titles), list(titles.values()))
    axes.set(xlabel=f'{score}, %', ylim=(0.5 - len(titles), 0.5))


def _style(index):
    """Colour, dashes and marker of the row with that index; the combination repeats after 308 rows."""
    styles = COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)], MARKERS[index % len(MARKERS)]
    return dict(zip(('color', 'linestyle', 'marker'), styles, strict=True), markersize=5, linewidth=1.4)


def _draw(name, caption, function, *args, height=HEIGHT):
    """The Picture that `function(axes, *args)` draws, `height` inches without its legend."""
    matplotlib = _matplotlib()
    with matplotlib.rc_context({'font.size': FONT_SIZE, 'svg.hashsalt': name}):
        figure = matplotlib.figure.Figure(figsize=(WIDTH, HEIGHT), layout='constrained')
        axes = figure.add_subplot()
        axes.spines[['top', 'right']].set_visible(False)
        axes.grid(alpha=0.3)
        function(axes, *args)
        if any(getattr(point, 'paper', False) for point in args[0]):
            axes.plot([], [], label='hollow: the paper', **PAPER)
        handles, labels = axes.get_legend_handles_labels()
        columns = 3 if max(map(len, labels)) < LONG else 2
        figure.set_figheight(height + LINE * -(-len(labels) // columns))
        figure.legend(
            handles, labels, loc='outside lower center', ncols=columns, frameon=False, fontsize='small'
        )
        buffer = io.BytesIO()
        figure.savefig(buffer, format='svg', metadata={'Date': None})
    return Picture(name, caption, buffer.getvalue())


def _matplotlib():
    """The module, also where MPLBACKEND names the backend of a notebook that this environment lacks.

    Nothing is shown here; a backend that is there is still what a notebook gets afterwards.
    """
    new, backend = 'matplotlib' not in sys.modules, os.environ.pop('MPLBACKEND', '')
    try:
        import matplotlib.figure
    finally:
        if backend:
            os.environ['MPLBACKEND'] = backend
    if new and backend:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams['backend'] = backend
    return matplotlib


def _title(row, seeds):
    return row.title if any(run.result for run in seeds) else f'{row.title} (unfinished)'


def _times(points, seeds):
    """The Points with the time of their row's runs as x, its unit, and whether one includes compilation."""
    measured = [times(seeds[point.row]) for point in points]
    name, size = unit(max(statistics.mean(values) for values, _ in measured))
    timed = [
        p._replace(
            title=p.title + (' *' if included else ''),
            x=statistics.mean(values) / size,
            x_spread=_spread(values) / size,
        )
        for p, (values, included) in zip(points, measured, strict=True)
    ]
    return timed, name, any(included for _, included in measured)


def _spread(values):
    return statistics.stdev(values) if len(values) > 1 else 0.0
