import json

import pytest

from resizemix_jax import config as configs
from resizemix_jax import key_groups
from resizemix_jax.errors import ConfigError
from resizemix_jax.report import cells as report_cells
from resizemix_jax.table_rules import USES
from resizemix_jax.tables import Column, Row, Table
from tests import made_up
from tests.configs.tables import TABLES


def collect(path, table='table3'):
    return report_cells.collect(path, TABLES[table])


def test_runs_with_equal_differences_make_a_group(tmp_path):
    for seed in (0, 1):
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.5])
        made_up.run(tmp_path, f'row=cutmix,seed={seed},recipe=released', [0.6])
        made_up.run(tmp_path, f'row=cutmix,seed={seed},scale=small', [0.7])
        for row in ('cutmix', 'baseline'):
            name = f'short_{row}_{seed}'
            made_up.run(tmp_path, f'row={row},seed={seed}', [0.8], name=name, epochs=3, schedule_args__lr=0.2)
    groups, problems = collect(tmp_path)
    assert not problems
    assert groups[0].labels == () and groups[0].comparable
    assert {group.labels: sorted(group.cells) for group in groups[1:]} == {
        ('epochs=3 (the table has: 200)', 'schedule_args.lr=0.2 (the table has: 0.1)'): [
            ('baseline', 'wrn28_10'),
            ('cutmix', 'wrn28_10'),
        ],
        ('recipe=released (the table has: paper)',): [('cutmix', 'wrn28_10')],
        ('scale=small (the table has: paper)',): [('cutmix', 'wrn28_10')],
    }
    epochs, recipe, scale = groups[1:]
    assert epochs.overrides == {'epochs': 3, 'schedule_args.lr': 0.2}
    assert recipe.comparable and recipe.overrides == {}
    assert not scale.comparable and not epochs.comparable
    for group, top1 in zip(groups, (50, 80, 60, 70), strict=True):
        assert report_cells.reached(group.cells['cutmix', 'wrn28_10'], 'last') == [top1, top1]
        assert group.score_title == 'top-1'


def test_the_cells_with_runs_come_in_the_order_of_the_table(tmp_path):
    table = TABLES['table3']
    for cell in ('row=resizemix', 'row=cutmix,model=ss26_2x96d', 'row=cutmix,seed=1', 'row=cutmix,seed=0'):
        made_up.run(tmp_path, cell, [0.5])
    (group,), _ = collect(tmp_path)
    cells = group.by_row(table.rows, ['wrn28_10', 'ss26_2x96d'])
    assert [(row.name, column, [run.seed for run in seeds]) for row, column, seeds in cells] == [
        ('cutmix', 'wrn28_10', [0, 1]), ('cutmix', 'ss26_2x96d', [0]), ('resizemix', 'wrn28_10', [0]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('keys', 'comparable'),
    [
        ([], True),
        (['recipe'], True),
        (['mixing_args.tau', 'dtype', 'schedule_args.lr'], True),
        (['scale'], False),
        (['recipe', 'model_args.width'], False),
        (['dataset'], False),
        (['steps'], False),
        (['held_out'], False),
    ],
)
def test_the_paper_is_comparable_where_network_data_and_length_are(keys, comparable):
    assert report_cells.Group(tuple((key, 1, 2) for key in keys), {}).comparable == comparable


def test_another_method_makes_overrides_that_its_command_takes(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.5], mixing='resizemix')
    (group,), _ = collect(tmp_path)
    assert 'mixing_args.alpha=absent (the table has: 1.0)' in group.labels
    assert group.overrides['mixing'] == 'resizemix' and 'absent' not in group.overrides.values()
    again = configs.override(TABLES['table3'].get_config('row=cutmix'), group.overrides)
    assert key_groups.differences(configs.stored(again), json.loads((path / 'config.json').read_text())) == []


def test_free_keys_and_keys_that_came_later_make_no_difference(tmp_path):
    made_up.run(tmp_path, 'row=cutmix,model=ss26_2x96d', [0.5], log_every_steps=7, num_devices=2)
    old = made_up.run(tmp_path, 'row=baseline', [0.5], finished=False)
    config = json.loads((old / 'config.json').read_text())
    del config['scale'], config['gallery_every']
    (old / 'config.json').write_text(json.dumps(config))
    (group,), _ = collect(tmp_path)
    assert group.labels == () and set(group.cells) == {('cutmix', 'ss26_2x96d'), ('baseline', 'wrn28_10')}


@pytest.mark.parametrize('what', [w for w in USES if USES[w][2].partition('.')[0] in configs.base()])
def test_the_run_that_a_run_started_from_makes_no_difference(tmp_path, what):
    """Every seed starts from a run of its own."""
    key = USES[what][2]
    needing = Row('b', 'B', dict(policy='autoaugment'), needs=(('table3', 'a', what),))
    table = Table('table3', 'T.', (Row('a', 'A'), needing), (Column('x'),), default_row='a')
    for seed in (0, 1):
        config = configs.override(table.get_config(f'row=b,seed={seed}'), {key: f'runs/a_seed{seed}'})
        (tmp_path / str(seed)).mkdir()
        (tmp_path / str(seed) / 'config.json').write_text(json.dumps(configs.stored(config)))
    (group,), _ = report_cells.collect(tmp_path, table)
    assert group.differences == () and len(group.cells['b', 'x']) == 2


def test_the_settings_of_a_generated_set_count_where_a_row_starts_from_one(tmp_path):
    for row in ('supermix', 'baseline'):
        made_up.run(tmp_path, f'row={row}', [0.5], table='related', generate_images=64, data_dir='x')
    own, other = collect(tmp_path, 'related')[0]
    assert (list(own.cells), own.labels) == ([('baseline', 'cifar100')], ())
    assert other.differences == (('generate_images', 0, 64),) and ('supermix', 'cifar100') in other.cells


def test_of_two_runs_of_a_seed_one_counts(tmp_path):
    made_up.run(tmp_path, 'row=cutmix', [0.5], name='a', finished=False)
    made_up.run(tmp_path, 'row=cutmix', [0.6], name='b')
    made_up.run(tmp_path, 'row=cutmix', [0.7], name='c')
    (group,), problems = collect(tmp_path)
    assert [run.path.name for run in group.cells['cutmix', 'wrn28_10']] == ['b']
    assert problems == [
        f'not shown: {tmp_path}/{name}: {tmp_path}/b has the same config and seed' for name in 'ac'
    ]


def test_other_tables_are_left_out_and_named(tmp_path):
    made_up.run(tmp_path, 'row=cutmix', [0.5], name='3')
    made_up.run(tmp_path, 'row=cutmix', [0.5], name='1', table='table1')
    made_up.run(tmp_path, 'row=cutmix', [0.5], name='q', table='quickstart')
    foreign = made_up.run(tmp_path, 'row=aa', [0.5], name='x')
    config = json.loads((foreign / 'config.json').read_text())
    (foreign / 'config.json').write_text(json.dumps(config | {'row': 'aaa'}))
    (group,), problems = collect(tmp_path)
    assert list(group.cells) == [('cutmix', 'wrn28_10')]
    text = '\n'.join(problems)
    assert 'not shown, since they are of other tables: quickstart (1), table1 (1)' in text
    assert f"not shown: {foreign}: the table has no such cell: row='aaa' must be one of" in text


@pytest.mark.parametrize('table', ['table3', 'table8'])  # of two columns, and of one
def test_a_run_of_an_unknown_column_is_left_out_and_named(table, tmp_path):
    row = TABLES[table].default_row
    made_up.run(tmp_path, f'row={row}', [0.5], table=table)
    foreign = made_up.run(tmp_path, f'row={row},seed=1', [0.5], table=table)
    config = json.loads((foreign / 'config.json').read_text())
    for path in (foreign / 'config.json', foreign / 'result.json'):
        path.write_text(path.read_text().replace(f'"column": "{config["column"]}"', '"column": "resnet9"'))
    (group,), problems = collect(tmp_path, table)
    assert list(group.cells) == [(row, config['column'])]
    known = ', '.join(column.name for column in TABLES[table].columns)
    assert problems == [
        f"not shown: {foreign}: the table has no such cell: column='resnet9' must be one of: {known}"
    ]


def test_a_directory_without_runs_of_the_table_says_what_it_holds(tmp_path):
    with pytest.raises(ConfigError, match='is not a directory'):
        collect(tmp_path / 'absent')
    with pytest.raises(ConfigError, match='holds no run of table3$'):
        collect(tmp_path)
    made_up.run(tmp_path, 'row=cutmix', [0.5], table='table1')
    with pytest.raises(
        ConfigError, match=r'holds no run of table3\n.*of other tables: table1 \(1\)'
    ) as error:
        collect(tmp_path)
    assert error.value.exit_code == 2
