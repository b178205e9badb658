"""What of a run's files can be shown."""

import pytest

from resizemix_jax import config as configs
from resizemix_jax.report import checks

NAN, INF = float('nan'), float('inf')
DEFAULTS = configs.stored(configs.base())
CONFIG = configs.stored(configs.complete(configs.base()))
RESULT = {'seconds': 3.0, 'images_per_second': 7, 'device': 'x', 'top1_last': 0.5, 'top1_best': 1}


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({}, ''),
        ({'label_smoothing': 0}, ''),
        ({'label_smoothing': NAN}, 'label_smoothing=nan must be a number'),
        ({'seed': 1.5}, 'seed=1.5 must be a whole number'),
        ({'seed': True}, 'seed=True must be a whole number'),
        ({'remat': 1}, 'remat=1 must be true or false'),
        ({'table': None}, 'table=None must be a text'),
        ({'mixing_args': []}, 'mixing_args=[] must be an object'),
        ({'held_out': 0.25}, ''),
        ({'held_out': 1.0}, 'held_out=1.0 is out of range'),
        ({'epochs': 0}, 'steps and epochs are 0, or batch_size is'),
        ({'epochs': 0, 'steps': 5}, ''),
        ({'epochs': -1}, 'epochs=-1 is out of range'),
        ({'steps': 10**400}, 'steps=1000'),
        ({'batch_size': 0}, 'steps and epochs are 0, or batch_size is'),
    ],
)
def test_configs(changes, words):
    found = checks.of_config(CONFIG | changes, DEFAULTS)
    assert found == '' if not words else found.startswith(words)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({}, ''),
        ({'compile_seconds': 3.0, 'flops_per_step': None, 'top1_median10': 0.5}, ''),
        ({'top1_last': NAN}, 'top1_last=nan must be a number in [0, 1]'),
        ({'top1_best': 84.3}, 'top1_best=84.3 must be a number in [0, 1]'),
        ({'top1_median10': None}, 'top1_median10=None must be'),
        ({'evaluated_on': 'held_out', 'test_top1_best': 0.5}, ''),
        ({'evaluated_on': 3}, 'evaluated_on=3 must be eval or held_out'),
        ({'test_top1_last': 1.5}, 'test_top1_last=1.5 must be a number in [0, 1]'),
        ({'device': None}, 'device=None must be a text'),
        ({'seconds': -1}, 'seconds=-1 must be a number >= 0'),
        ({'seconds': INF}, 'seconds=inf must be'),
        ({'images_per_second': '7'}, "images_per_second='7' must be"),
        ({'compile_seconds': 3.5}, 'compile_seconds is more than seconds'),
        ({'flops_per_step': 'x'}, "flops_per_step='x' must be"),
    ],
)
def test_results(changes, words):
    found = checks.of_result(RESULT | changes, 'top1')
    assert found == '' if not words else found.startswith(words)


@pytest.mark.parametrize(
    ('row', 'fits'),
    [
        ({'step': 1}, True),
        ({'step': 1, 'epoch': 0.5, 'eval_top1': 1.0, 'eval_loss': NAN, 'note': 'x'}, True),
        ({'step': -1}, False),
        ({'step': 1e16}, False),
        ({'step': True}, False),
        ({'step': 1, 'eval_top1': NAN}, False),
        ({'step': 1, 'eval_top1': 2}, False),
        ({'step': 1, 'epoch': 'x'}, False),
        ({'step': 1, 'images_per_second': None}, False),
    ],
)
def test_rows(row, fits):
    assert checks.of_row(row, 'top1') == fits
