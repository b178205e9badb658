import json

import pytest

from resizemix_jax.errors import ConfigError
from resizemix_jax.report import cells as report_cells
from tests import made_up


def collect(path, table='table3'):
    return report_cells.collect(path, made_up.layout(table))


def test_runs_of_equal_difference_are_a_group_and_of_another_never(tmp_path):
    for seed in (0, 1):
        made_up.run(tmp_path, f'row=cutmix,seed={seed}', [0.5])
        made_up.run(tmp_path, f'row=cutmix,seed={seed},recipe=released', [0.6])
        made_up.run(tmp_path, f'row=cutmix,seed={seed},scale=small', [0.7])
        for row in ('cutmix', 'baseline'):
            name = f'short_{row}_{seed}'
            made_up.run(tmp_path, f'row={row},seed={seed}', [0.8], name=name, epochs=3, schedule_args__lr=0.2)
    groups, problems = collect(tmp_path)
    assert not problems
    assert groups[0].marks == () and groups[0].comparable
    assert {group.marks: sorted(group.cells) for group in groups[1:]} == {
        ('epochs=3 (the table has: 200)', 'schedule_args.lr=0.2 (the table has: 0.1)'): [
            ('baseline', 'wrn28_10'),
            ('cutmix', 'wrn28_10'),
        ],
        ('recipe=released (the table has: paper)',): [('cutmix', 'wrn28_10')],
        ('scale=small (the table has: paper)',): [('cutmix', 'wrn28_10')],
    }
    by_mark = {group.marks[0][:6]: group for group in groups[1:]}
    assert by_mark['epochs'].overrides == {'epochs': 3, 'schedule_args.lr': 0.2}
    assert by_mark['recipe'].comparable and by_mark['recipe'].overrides == {}
    assert not by_mark['scale='].comparable and not by_mark['epochs'].comparable
    for group, top1 in zip((groups[0], *(by_mark[k] for k in by_mark)), (50, 80, 60, 70), strict=True):
        assert report_cells.reached(group.cells['cutmix', 'wrn28_10'], 'last') == [top1, top1]


@pytest.mark.parametrize(
    ('marks', 'comparable'),
    [
        ((), True),
        (('recipe=released (the table has: paper)',), True),
        (
            ('mixing_args.tau=[0.2, 0.3] (the table has: [0.1, 0.8])', 'dtype=bfloat16 (the table has: x)'),
            True,
        ),
        (('scale=small (the table has: paper)',), False),
        (('recipe=released (the table has: paper)', 'model_args.width=2 (the table has: 10)'), False),
        (('dataset=fake (the table has: cifar100)',), False),
        (('steps=5 (the table has: 0)',), False),
    ],
)
def test_the_paper_is_comparable_where_network_data_and_length_are(marks, comparable):
    assert report_cells.Group(marks, {}, {}).comparable == comparable


def test_what_does_not_change_a_run_is_no_difference(tmp_path):
    made_up.run(tmp_path, 'row=cutmix,model=ss26_2x96d', [0.5], log_every_steps=7, num_devices=2)
    old = made_up.run(tmp_path, 'row=baseline', [0.5], finished=False)
    config = json.loads((old / 'config.json').read_text())
    del config['scale'], config['gallery_every']  # keys that came after the run
    (old / 'config.json').write_text(json.dumps(config))
    (group,), _ = collect(tmp_path)
    assert group.marks == () and set(group.cells) == {('cutmix', 'ss26_2x96d'), ('baseline', 'wrn28_10')}


def test_of_two_runs_of_a_seed_one_counts(tmp_path):
    made_up.run(tmp_path, 'row=cutmix', [0.5], name='a', finished=False)
    made_up.run(tmp_path, 'row=cutmix', [0.6], name='b')
    made_up.run(tmp_path, 'row=cutmix', [0.7], name='c')
    (group,), problems = collect(tmp_path)
    assert [run.path.name for run in group.cells['cutmix', 'wrn28_10']] == ['b']
    assert [problem.split(':')[0] for problem in problems] == [str(tmp_path / 'a'), str(tmp_path / 'c')]


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
    assert 'Runs of other tables, left out: quickstart (1), table1 (1)' in text
    assert f"{foreign}: left out, since the table has no such cell: row='aaa' must be one of" in text


def test_where_there_is_nothing_to_report_it_says_what_there_is(tmp_path):
    with pytest.raises(ConfigError, match='is no directory'):
        collect(tmp_path / 'absent')
    with pytest.raises(ConfigError, match='holds no run of table3$'):
        collect(tmp_path)
    made_up.run(tmp_path, 'row=cutmix', [0.5], table='table1')
    with pytest.raises(ConfigError, match=r'holds no run of table3\n.*left out: table1 \(1\)') as error:
        collect(tmp_path)
    assert error.value.exit_code == 2
    with pytest.raises(ConfigError, match='fake has no rows'):
        report_cells.collect(tmp_path, made_up.layout('table1')._replace(name='fake', rows=()))
