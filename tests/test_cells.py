"""The cells of a sweep, and how each is asked for."""

import pytest

from resizemix_jax import cells
from tests.configs.tables import module


def test_the_cells_of_a_sweep():
    table = vars(module('table3'))
    every = cells.every(table, seeds=2)
    runnable = [row['row'] for row in table['ROWS'] if 'refused' not in row]
    assert [(c['seed'], c['column'], c['row']) for c in every] == [
        (seed, column, row) for seed in (0, 1) for column in table['COLUMNS'] for row in runnable
    ]
    assert len({cells.directory('table3', cell) for cell in every}) == len(every)
    small = cells.every(table, rows=['cutmix'], recipe='released', scale='small')
    assert [cells.directory('table3', cell) for cell in small] == [
        'table3_cutmix_wrn28_10_released_small_seed0'
    ]
    argument = 'row=cutmix,model=wrn28_10,recipe=released,scale=small,seed=0'
    assert cells.argument(table, small[0]) == argument
    assert cells.flags('F', argument, {'b': [1, 2], 'a.c': 0.5}, 'D') == [
        f'--config=F:{argument}', '--config.a.c=0.5', '--config.b=(1, 2)', '--workdir=D',
    ]  # fmt: skip
    one = cells.every(vars(module('small_study')), rows=['cutmix'])[0]
    assert cells.argument(vars(module('small_study')), one) == 'row=cutmix,seed=0'


@pytest.mark.parametrize(
    ('chosen', 'message'),
    [
        (dict(rows=['mixmix']), "--rows: 'mixmix' must be one of: baseline, aa"),
        (dict(rows=['faster_aa']), '--rows: faster_aa cannot be run: its authors published'),
        (dict(columns=['vgg']), "--columns: 'vgg' must be one of: wrn28_10, ss26_2x96d"),
    ],
)
def test_cells_that_are_not_there_are_refused(chosen, message):
    with pytest.raises(ValueError, match=message):
        cells.every(vars(module('table3')), **chosen)


def test_a_sweep_s_own_flags_are_not_in_its_config():
    table = vars(module('table3'))
    cells.check_sweep(table, 'scale=small,recipe=released', {'epochs': 1})
    for argument, overrides, flag in (
        ('row=aa', {}, 'rows'),
        ('model=x', {}, 'columns'),
        ('', {'seed': 1}, 'seeds'),
    ):
        with pytest.raises(ValueError, match=f'is chosen by --{flag} in a sweep'):
            cells.check_sweep(table, argument, overrides)
    with pytest.raises(ValueError, match='a sweep needs a table with rows'):
        cells.check_sweep(vars(module('fake')), '', {})
