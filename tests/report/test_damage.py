"""Damaged runs take no report, comparison or sweep down, and none of them disappears without a word."""

import random

import pytest

from resizemix_jax import config as configs
from resizemix_jax import sweep
from resizemix_jax.errors import RunError
from resizemix_jax.report import compare, runs
from resizemix_jax.report import tables as report
from tests import made_up
from tests.configs.tables import TABLES
from tests.report.damage import damage

TABLE = TABLES['table3']


def survey(root, count, seed):
    """Damages `count` runs beside two good ones; returns path -> the sentences on it."""
    rng = random.Random(seed)
    for k, score in enumerate((0.5, 0.75)):
        made_up.run(root, f'row=baseline,seed={k}', [score])
    done = {}
    for k in range(count):
        path = made_up.run(root, f'row=cutmix,seed={k}', [0.25, 0.5], finished=True)
        done[path] = damage(path, rng)
    report.write(root, TABLE, 'configs/table3.py')
    table = made_up.first_table((root / 'report.md').read_text())
    assert table['Baseline'][1].startswith('62.50 ± 17.68 (2')
    told = {}
    for path, what in done.items():
        config = configs.stored(TABLE.get_config('row=cutmix'))
        assert sweep.state(sweep.Job(str(path), [], config)) in ('new', 'begun', 'finished'), what
        try:
            text = compare.compare(path, root / 'row-baseline_seed-0')
        except RunError as error:
            text = str(error)
        run, problems = runs.read(path)
        whole = run and run.result and len(run.rows) == 4
        assert whole or problems or what == 'result.json: nothing', what
        assert all(str(path) in problem for problem in problems), problems
        assert not problems or str(path) in text, (what, problems, text)
        told[path] = problems
    return told


@pytest.mark.parametrize(
    ('count', 'seed'),
    [(25, 0), pytest.param(100, 1, marks=pytest.mark.slow), pytest.param(100, 3, marks=pytest.mark.slow)],
)
@pytest.mark.slow
def test_damaged_runs(count, seed, tmp_path):
    told = survey(tmp_path, count, seed)
    text = (tmp_path / 'report.md').read_text()
    named = [path for path in told if told[path]]
    assert len(named) > count / 2 and all(path.name in text for path in named)
    assert '<script>' not in text and '<script>' not in (tmp_path / 'report.html').read_text()
