"""The committed small study: its pages hold what its raw metrics say. Version 0.1.0 recorded the runs."""

import json
import pathlib
import shutil
import statistics

import ml_collections
import pytest
from scipy import stats

from resizemix_jax.config import migrate
from resizemix_jax.report import tables as report
from resizemix_jax.run import results
from tests import made_up
from tests.configs.tables import TABLES

STUDY = pathlib.Path('docs/small_study')
ROOT = pathlib.Path(__file__).parent.parent
TABLE = TABLES['small_study']
SEEDS = (0, 1, 2)
ROWS = {row.name: row.title for row in TABLE.rows}


def folder(row, seed):
    return ROOT / STUDY / f'small_study_{row}_wrn16_2_seed{seed}'


def metrics(row, seed):
    return [json.loads(line) for line in (folder(row, seed) / 'metrics.jsonl').read_text().splitlines()]


def last(row):
    """The last accuracy of each seed in %, from the raw metrics."""
    return [100 * [m['eval_top1'] for m in metrics(row, seed) if 'eval_top1' in m][-1] for seed in SEEDS]


def table(text):
    """row -> its cells, of the first table of a page."""
    return dict(list(made_up.first_table(text.replace('−', '-')).items())[2:])


@pytest.mark.parametrize('row', ROWS)
def test_results_are_those_of_the_metrics(row):
    for seed in SEEDS:
        result = json.loads((folder(row, seed) / 'result.json').read_text())
        config = migrate(json.loads((folder(row, seed) / 'config.json').read_text()))
        made = results.summary(ml_collections.ConfigDict(config), metrics(row, seed), result['device'])
        assert migrate(result.pop('config')) == config
        assert result == {key: made[key] for key in result}
        assert (result['row'], result['seed'], result['steps']) == (row, seed, 1200)
        evaluations = [m for m in metrics(row, seed) if 'eval_top1' in m]
        assert [m['eval_examples'] for m in evaluations] == [2000] * 24


@pytest.mark.slow
def test_the_report_is_the_one_of_these_runs(tmp_path, monkeypatch):
    shutil.copytree(ROOT / STUDY, tmp_path / STUDY)
    monkeypatch.chdir(tmp_path)
    page, _ = report.write(STUDY, TABLE, 'configs/small_study.py')
    committed = (ROOT / STUDY / 'report.md').read_text()
    assert page.read_text() == committed, 'make it again: main.py --mode=report --workdir=docs/small_study'
    expected = {
        title: [f'{statistics.mean(last(row)):.2f} ± {statistics.stdev(last(row)):.2f} ({len(SEEDS)})']
        for row, title in ROWS.items()
    }
    assert table(committed) == expected


def test_the_paired_differences_are_those_of_the_metrics():
    found = table((ROOT / STUDY / 'README.md').read_text())
    assert list(found) == list(ROWS.values())
    for row, title in ROWS.items():
        mean, *differences, p = found[title]
        assert mean == f'{statistics.mean(last(row)):.2f} ± {statistics.stdev(last(row)):.2f}'
        if row == 'baseline':
            assert {*differences, p} == {'–'}
            continue
        pairs = [ours - base for ours, base in zip(last(row), last('baseline'), strict=True)]
        assert differences == [f'{statistics.mean(pairs):+.2f} ± {statistics.stdev(pairs):.2f}']
        assert p == f'{stats.ttest_1samp(pairs, 0).pvalue:.2g}'
