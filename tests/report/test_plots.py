"""The plots have the series of the runs, and no two differ in colour alone."""

import os
import subprocess
import sys
import xml.etree.ElementTree

import pytest
from matplotlib.figure import Figure

from resizemix_jax.report import cells as report_cells
from resizemix_jax.report import plots
from tests import made_up
from tests.command import ROOT
from tests.configs.tables import TABLES

TABLE = TABLES['table3']


@pytest.fixture(scope='module')
def group(tmp_path_factory):
    path = tmp_path_factory.mktemp('runs')
    for seed, top1 in enumerate((0.80, 0.82)):
        made_up.run(path, f'row=cutmix,seed={seed}', [0.2, 0.4 + seed / 10, top1])
    made_up.run(path, 'row=cutmix,seed=2', [0.9], finished=False)
    made_up.run(path, 'row=baseline', [0.3, 0.5], finished=False)
    made_up.run(path, 'row=resizemix', [0.1, 0.6, 0.84])
    (found,), _ = report_cells.collect(path, TABLE)
    return found


def axes():
    return Figure().add_subplot()


def test_a_curve_is_the_mean_of_the_finished_seeds(group):
    curve = plots.curve(group.cells['cutmix', 'wrn28_10'])
    assert [point[0] for point in curve] == [1, 2, 3]
    assert [point[1] for point in curve] == pytest.approx([20, 45, 81])
    assert [point[2] for point in curve] == pytest.approx([0, 50**0.5, 2**0.5])
    assert [p[1] for p in plots.curve(group.cells['baseline', 'wrn28_10'])] == pytest.approx([30, 50])
    assert plots.curve([]) == []


def test_a_curve_stops_where_a_seed_does(group):
    seeds = [run._replace(result={}) for run in group.cells['cutmix', 'wrn28_10']]
    assert plots.curve(seeds) == [(1.0, pytest.approx(130 / 3), pytest.approx(70 / 3**0.5))]
    no_rows = seeds[0]._replace(rows=[])
    assert plots.curve([seeds[0], no_rows]) == []


def test_learning_curves_have_a_line_a_row(group):
    page = axes()
    some = [
        (k, title, plots.curve(group.cells[title, 'wrn28_10']))
        for k, title in ((0, 'baseline'), (8, 'cutmix'))
    ]
    plots.learning_curves(page, some, 'map')
    assert page.get_ylabel() == 'map, %'
    assert [line.get_label() for line in page.lines] == ['baseline', 'cutmix']
    assert page.lines[1].get_ydata() == pytest.approx([20, 45, 81])
    assert page.lines[0].get_xdata() == pytest.approx([1, 2])
    assert page.get_ylim()[0] == pytest.approx(44)  # the lowest of the second half, less one


def test_points_are_ours_and_the_paper_s(group):
    points = plots.by_row(group, TABLE, 'wrn28_10', 'last')
    ours = {point.title: point for point in points if not point.paper}
    assert set(ours) == {'CutMix', 'ResizeMix'}
    assert ours['CutMix'].y == pytest.approx(81) and ours['CutMix'].spread == pytest.approx(2**0.5)
    paper = {point.title: point.y for point in points if point.paper}
    assert paper == {row.title: row.paper['wrn28_10'] for row in TABLE.rows}
    shorter = group._replace(differences=(('epochs', 200, 3),))
    assert not [p for p in plots.by_row(shorter, TABLE, 'wrn28_10', 'last') if p.paper]
    page = axes()
    plots.dots(page, points, 'map')
    assert page.get_xlabel() == 'map, %'
    assert [text.get_text() for text in page.get_yticklabels()] == [row.title for row in TABLE.rows]


@pytest.mark.slow
def test_the_pictures_of_a_group(group):
    pictures = plots.section(group, TABLE, 'last')
    names = [f'{kind}_wrn28_10' for kind in ('curves', 'rows', 'time', 'cost')]
    assert [picture.name for picture in pictures] == names
    for picture in pictures:
        assert xml.etree.ElementTree.fromstring(picture.svg).tag.endswith('svg')
    again = plots.section(group, TABLE, 'last')
    assert [one.svg for one in again] == [one.svg for one in pictures]
    nothing = group._replace(cells={})
    assert plots.section(nothing, TABLE, 'last') == []


def test_a_scatter_names_every_row_and_spreads_its_axis():
    page = axes()
    point = plots.Point(0, 'A', 0.0, 80.0, 0.5)
    points = [point, point._replace(paper=True), plots.Point(3, 'B', 5000.0, 82.0, paper=True)]
    plots.scatter(page, points, 'cost', 'map')
    assert (page.get_xlabel(), page.get_ylabel()) == ('cost', 'map, %') and page.get_xscale() == 'symlog'
    assert page.get_legend_handles_labels()[1] == ['A', 'B']
    hollow = [line.get_markerfacecolor() == 'none' for line in page.lines if line.get_marker() in 'oD']
    assert hollow == [False, True, True]
    scales = []
    for xs in ((70.0, 90.0), (1.0, 90.0), (0.0, 5.0)):
        page = axes()
        plots.scatter(page, [point._replace(x=x) for x in xs], 'min', 'map')
        scales.append(page.get_xscale())
    assert scales == ['linear', 'log', 'linear']


def test_no_two_rows_look_alike_without_colour():
    styles = [plots._style(k) for k in range(20)]
    assert len({(style['linestyle'], style['marker']) for style in styles}) == 20


@pytest.mark.slow
@pytest.mark.parametrize(('backend', 'after'), [('one_that_is_not_here', ''), ('svg', 'svg'), ('', '')])
def test_the_backend_of_a_notebook_is_not_needed_and_not_lost(backend, after):
    """Jupyter hands MPLBACKEND on to `!python main.py --mode=report`, where its module can be missing."""
    code = (
        'import os; from resizemix_jax.report import plots\n'
        "point = plots.Point(0, 'a', 1.0, 2.0)\n"
        "assert plots._draw('x', 'c', plots.dots, [point], 'top-1').svg.startswith(b'<?xml')\n"
        f"assert os.environ.get('MPLBACKEND', '') == {backend!r}\n"
        f"import matplotlib; assert not {after!r} or matplotlib.rcParams['backend'] == {after!r}\n"
    )
    env = os.environ | {'MPLBACKEND': backend}
    subprocess.run([sys.executable, '-c', code], cwd=ROOT, env=env, check=True)
