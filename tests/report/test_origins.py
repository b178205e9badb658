"""The versions, the sources and the commands of runs, in their report."""

import re
import shlex

import pytest

from resizemix_jax import config as configs
from resizemix_jax import overrides
from resizemix_jax.report import cells as report_cells
from resizemix_jax.report import origins, runs
from resizemix_jax.report import tables as report
from resizemix_jax.report.page import Link
from resizemix_jax.tables import Column, Row, Table
from tests import made_up
from tests.configs.tables import TABLES

TABLE, PATH = TABLES['related'], 'configs/related.py'
COLUMNS = ['cifar10', 'cifar100']


def supermix(root, teacher, **values):
    """A run of SuperMix where a sweep below `root` puts it."""
    name = 'related_supermix_cifar100_seed0'
    return made_up.run(
        root,
        'row=supermix,seed=0',
        [0.5],
        table='related',
        name=name,
        data_dir=f'{teacher}/generated',
        **values,
    )


def baseline(root, scores, **values):
    name = 'related_baseline_cifar100_seed0'
    return made_up.run(root, 'row=baseline,seed=0', scores, table='related', name=name, **values)


def started_from(root):
    (group, *_), _ = report_cells.collect(root, TABLE)
    return origins.started_from(group, TABLE.rows, COLUMNS, 'last', root)


def test_a_row_is_linked_to_the_run_that_it_started_from(tmp_path):
    teacher = baseline(tmp_path, [0.25])
    supermix(tmp_path, teacher)
    report.write(tmp_path, TABLE, PATH)
    name = teacher.name
    line = f'| SuperMix | cifar100 | 0 | teacher | [{name}]({name}) | 25.00 |'
    header = '| Row | column | seed | needs | started from | its top-1, % |'
    text = (tmp_path / 'report.md').read_text()
    assert line in text and header in text
    assert f'<a href="{name}">{name}</a>' in (tmp_path / 'report.html').read_text()


def test_the_commands_of_a_run_are_the_chain_of_a_sweep(tmp_path):
    supermix(tmp_path, tmp_path / 'related_baseline_cifar100_seed0', epochs=3)
    (group,), _ = report_cells.collect(tmp_path, TABLE)
    lines = origins.commands(group, TABLE, PATH, TABLE.rows, COLUMNS)
    words = [shlex.split(line)[2:] for line in lines]
    assert [re.search('row=([a-z]*)', word[0]).group(1) for word in words] == [
        'baseline',
        'baseline',
        'supermix',
    ]
    assert words[1] == [*words[0], '--mode=generate']
    for word in words:
        assert '--config.epochs=3' in word
    assert f'--config.data_dir={tmp_path}/related_baseline_cifar100_seed0/generated' in words[2]
    found = overrides.sort(words[2])
    again = overrides.apply(TABLE.get_config(found.argument), found.texts)
    assert again == {'epochs': 3, 'data_dir': f'{tmp_path}/related_baseline_cifar100_seed0/generated'}


def test_a_run_elsewhere_has_its_own_command(tmp_path):
    supermix(tmp_path, '/elsewhere/teacher')
    (group,), _ = report_cells.collect(tmp_path, TABLE)
    (line,) = origins.commands(group, TABLE, PATH, TABLE.rows, COLUMNS)
    assert 'row=supermix' in line and '--config.data_dir=/elsewhere/teacher/generated' in line


@pytest.mark.parametrize(
    'recorded', ['/gone/related_baseline_cifar100_seed0', 'related_baseline_cifar100_seed0']
)
def test_directories_that_were_moved_together_are_found(tmp_path, recorded):
    baseline(tmp_path / 'moved', [0.25], finished=False)
    supermix(tmp_path / 'moved', recorded)
    ((*_, link, reached),) = started_from(tmp_path).lines
    assert link == Link(*['moved/related_baseline_cifar100_seed0'] * 2) and 'top-1 25.00 so far' in reached


def test_a_source_that_is_not_there_or_not_recorded_is_no_link(tmp_path):
    supermix(tmp_path, '/gone/teacher')
    assert started_from(tmp_path).lines[0][-2:] == ('/gone/teacher/generated', '–')
    made_up.run(tmp_path, 'row=supermix,seed=1', [0.5], table='related')
    assert started_from(tmp_path).lines[1][-2:] == ('not recorded', '–')


def test_a_need_of_a_group_of_keywords_is_found(tmp_path):
    source = made_up.run(tmp_path, 'row=baseline', [0.75])
    needing = Row('b', 'B', dict(policy='autoaugment'), needs=(('table3', 'baseline', 'policy'),))
    table = Table('t', 'T.', (Row('a', 'A'), needing), (Column('x'),), default_row='a')
    changes = {'policy_args.policy': f'{source}/policy.json'}
    config = configs.stored(configs.override(table.get_config('row=b'), changes))
    run = runs.Run(tmp_path / 'b', config, [], {}, 0.0)
    group = report_cells.Group((), {('b', 'x'): [run]})
    (line,) = origins.started_from(group, table.rows, ['x'], 'best', tmp_path).lines
    assert line == ('B', 'x', '0', 'policy', Link(source.name, source.name), '75.00')


def identity(version, dirty=False, commit='0123456789abcdef'):
    versions = {'jax': '0.7', 'resizemix_jax': version}
    return {'versions': versions, 'commit': commit, 'dirty': dirty, 'devices': '8 x v4', 'host': 'h'}


def test_runs_are_listed_by_what_they_were_made_with(tmp_path):
    one, two = identity('1.0'), identity('1.1', dirty=True)
    made_up.run(tmp_path, 'row=ricap,seed=0', [0.5], table='related', result={'identity': [one]})
    made_up.run(tmp_path, 'row=ricap,seed=1', [0.5], table='related', result={'identity': [one, one, two]})
    made_up.run(tmp_path, 'row=mixup,seed=1', [0.5], table='related', result={'identity': [two]})
    made_up.run(tmp_path, 'row=baseline,seed=4', [0.5], table='related')
    made_up.run(tmp_path, 'row=augmix,seed=5', [0.5], table='related', finished=False)
    (group,), _ = report_cells.collect(tmp_path, TABLE)
    assert origins.made_with(group, TABLE.rows, ['cifar100']).lines == [
        ('not recorded', 'not recorded', 'not recorded', 'Baseline: 4'),
        (
            'resizemix_jax 1.1, jax 0.7',
            '0123456789ab with uncommitted changes',
            '8 x v4',
            'Mixup: 1; RICAP: 1',
        ),
        ('resizemix_jax 1.0, jax 0.7', '0123456789ab', '8 x v4', 'RICAP: 0, 1'),
    ]
    report.write(tmp_path, TABLE, PATH)
    assert '| Versions | commit | devices | seeds |' in (tmp_path / 'report.md').read_text()


def test_older_runs_have_no_table_of_versions_and_a_damaged_one_is_passed_over(tmp_path):
    made_up.run(tmp_path, 'row=ricap,seed=0', [0.5], table='related', result={'identity': ['x']})
    (group,), _ = report_cells.collect(tmp_path, TABLE)
    assert origins.made_with(group, TABLE.rows, COLUMNS).lines == []
    assert origins._identity({'commit': None, 'versions': None}) == ('–', '–', '–')
