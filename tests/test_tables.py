"""A table: its argument, its cells, its methods side by side, and what a broken one says."""

import dataclasses

import pytest

from resizemix_jax import config as configs
from resizemix_jax import key_groups, small_scale
from resizemix_jax.tables import Column, Row, Table
from tests.configs.tables import TABLES


@pytest.mark.parametrize(
    ('name', 'arg', 'message'),
    [
        ('table3', 'row=mixmix', "row='mixmix' must be one of: baseline, aa"),
        ('table3', 'model=vgg', "model='vgg' must be one of: wrn28_10, ss26_2x96d"),
        ('table3', 'recipe=mine', "recipe='mine' must be one of: paper, released"),
        ('table3', 'scale=tiny', "scale='tiny' must be one of: paper, small"),
        ('table3', 'rows=resizemix', "'rows=resizemix' in the config argument: write key=value"),
        ('table3', 'resizemix', 'write key=value with a key of row, model, recipe, scale, seed'),
        ('table3', 'seed=x', "seed='x' in the config argument must be of type int"),
        ('table3', 'config.mixing=cutmx', "mixing='cutmx': .*there are: cut_paste, cutmix"),
        (
            'table3',
            'config.epochs=3',
            "'epochs=3' in the config argument: .* with a key of task, dataset, model",
        ),
        ('table6', 'model=resnet50', 'write key=value with a key of row, dataset, recipe, scale, seed'),
        ('quickstart', 'recipe=paper', 'write key=value with a key of row, model, seed'),
    ],
)
def test_bad_arguments_are_refused(name, arg, message):
    with pytest.raises(ValueError, match=message):
        TABLES[name].get_config(arg)


def test_the_argument_takes_the_names_of_members():
    plain = TABLES['table3'].get_config('row=cutmix')
    config = TABLES['table3'].get_config('row=cutmix,config.mixing=resizemix,config.policy=pba,seed=2')
    assert config.mixing_args.to_dict() == dict(tau=(0.1, 0.8), per='batch', method='nearest', antialias=True)
    assert (config.row, config.seed, config.policy_args.policy) == ('cutmix', 2, 'pba_cifar10')
    assert TABLES['table3'].get_config('row=cutmix,config.mixing=cutmix') == plain


def test_the_cells_of_a_sweep():
    table = TABLES['table3']
    every = table.cells(seeds=2)
    runnable = [row.name for row in table.rows if not row.refused]
    assert [(c['seed'], c['column'], c['row']) for c in every] == [
        (seed, column.name, row) for seed in (0, 1) for column in table.columns for row in runnable
    ]
    assert len({table.directory(cell) for cell in every}) == len(every)
    small = table.cells(rows=['cutmix'], recipe='released', scale='small')
    assert [table.directory(cell) for cell in small] == [
        'table3_cutmix_released_small_wrn10_1_fashion_mnist_10k_seed0'
    ]
    assert table.argument(small[0]) == 'row=cutmix,model=wrn28_10,recipe=released,scale=small,seed=0'
    other = table.directory(small[0] | {'column': 'ss26_2x96d', 'recipe': 'paper'})
    assert other == 'table3_cutmix_small_wrn10_1_fashion_mnist_10k_for_ss26_2x96d_seed0'
    config = table.get_config('scale=small')
    sizes = config.model_args.depth, config.model_args.width
    name = small_scale.small(table.columns[0].network).name
    assert f'wrn{sizes[0]}_{sizes[1]}_{config.dataset}' == name  # the name is the truth
    half = TABLES['table6'].cells(rows=['baseline'], scale='small')  # two networks on one data set
    assert [cell['column'] for cell in half] == ['cifar10', 'imagenet']
    assert TABLES['table6'].directory(half[1]) == 'table6_baseline_small_resnet14_fashion_mnist_10k_seed0'
    one = TABLES['small_study'].cells(rows=['cutmix'])[0]
    assert TABLES['small_study'].argument(one) == 'row=cutmix,seed=0'


@pytest.mark.parametrize(
    ('chosen', 'message'),
    [
        (dict(rows=['mixmix']), "--rows='mixmix' must be one of: baseline, aa"),
        (dict(rows=['faster_aa']), '--rows: faster_aa cannot be run: its authors published'),
        (dict(columns=['vgg']), "--columns='vgg' must be one of: wrn28_10, ss26_2x96d"),
    ],
)
def test_cells_that_do_not_exist_are_refused(chosen, message):
    with pytest.raises(ValueError, match=message):
        TABLES['table3'].cells(**chosen)


def test_variants_differ_in_the_method_alone():
    table = TABLES['table1']
    config = table.get_config('row=salient_to_random')
    configs.override(config, {'model_args.width': 1, 'mixing_args.tau': (0.2, 0.3), 'policy': 'augmix'})
    made = dict(table.variants(config.lock()))
    assert list(made) == [row.title for row in table.rows]
    assert made['(7) Cut: salient to random'].mixing_args.tau == (0.2, 0.3)  # its own overrides
    assert made['(1) Baseline'].saliency == '' and made['(1) Baseline'].mixing_args.to_dict() == {}
    assert made['(4) Cut: random to salient'].saliency == 'grad_cam'
    assert made['(4) Cut: random to salient'].mixing_args.tau == (0.1, 0.8)
    for other in made.values():
        changed = {
            key.partition('.')[0] for key, _, _ in key_groups.differences(_stored(config), _stored(other))
        }
        assert changed <= {'mixing', 'mixing_args', 'saliency', 'saliency_args'}


def _stored(config):
    return configs.stored(config)


def test_variants_keep_the_data_where_a_row_has_its_own():
    table = TABLES['related']
    made = dict(table.variants(table.get_config('row=baseline')))
    assert {config.dataset for config in made.values()} == {'cifar100'}


def test_rows_win_over_columns_and_networks_and_groups_are_merged():
    table = table_of(
        rows=(
            Row('a', 'A', dict(schedule_args=dict(lr=0.7)), per_column={'x': dict(epochs=5)}),
            Row('b', 'B'),
        ),
        columns=(Column('x', 'wrn28_10', dict(epochs=9, dataset='cifar10')), Column('y', 'ss26_2x96d')),
        keys=dict(dataset='cifar100', batch_size=8),
    )
    a, b = table.get_config('row=a,recipe=released'), table.get_config('row=b,model=y')
    assert (a.schedule_args.lr, a.schedule_args.warmup_epochs, a.epochs) == (0.7, 5, 5)
    assert (a.dataset, a.batch_size, b.dataset, b.epochs) == ('cifar10', 256, 'cifar100', 1800)


def table_of(**changes):
    """A table of one row and column, with changes."""
    values = dict(name='t', doc='T.', rows=(Row('a', 'A'),), columns=(Column('x'),), default_row='a')
    return Table(**values | changes)


@pytest.mark.parametrize(
    ('keys', 'message'),
    [
        (dict(mixing='cutmx'), "table t, row a, column x: mixing='cutmx'"),
        (
            dict(mixing='cutmix', mixing_args=dict(p=1)),
            'row a, column x: mixing_args: cutmix does not take p',
        ),
        (dict(epochs='many'), 'table t, row a, column x: .*epochs'),
    ],
)
def test_a_broken_row_says_so_when_it_is_resolved(keys, message):
    with pytest.raises(ValueError, match=message):
        table_of(rows=(Row('a', 'A', keys),)).get_config()


def test_a_need_is_met_in_the_same_column_or_the_default_one():
    table = table_of(columns=(Column('x'), Column('y')), default_column='y')
    cell = dict(row='other', column='x', recipe='released', scale='small', seed=3)
    assert table.needed('a', cell) == dict(row='a', column='x', seed=3)
    assert table.needed('a', cell | {'column': 'z'})['column'] == 'y'
    own = dataclasses.replace(TABLES['table3'])
    assert own.needed('cutmix', cell | {'column': 'z'}) == cell | {'row': 'cutmix', 'column': 'wrn28_10'}
    with pytest.raises(ValueError, match='row faster_aa is needed and cannot be run'):
        own.needed('faster_aa', cell)
