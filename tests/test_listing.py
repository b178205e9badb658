"""What the command prints of a table."""

import pathlib

import pytest

from resizemix_jax import config as configs
from resizemix_jax import listing
from resizemix_jax.errors import ConfigError
from resizemix_jax.tables import Column, Row, Table
from tests.configs.tables import TABLES


def test_a_listing_has_titles_numbers_commands_and_reasons():
    lines = listing.listing(TABLES['table2'], 'configs/table2.py').splitlines()
    assert lines[0].startswith('Table 2: CIFAR-10')
    at = lines.index('ResizeMix  (paper: cost 0 GPU hours, wrn28_10 97.60 %, ss26_2x96d 97.93 %)')
    assert lines[at + 1].split() == [
        'python', 'main.py', '--config=configs/table2.py:row=resizemix,model=wrn28_10,seed=0',
        '--workdir=runs/table2_resizemix_wrn28_10_seed0',
    ]  # fmt: skip
    at = lines.index('OHL-AA  (paper: cost 83.4 GPU hours, wrn28_10 97.39 %)')
    assert lines[at + 1].startswith('    cannot be run: its authors published neither')
    text = listing.listing(TABLES['table6'], 'configs/table6.py', program=('x',))
    assert '    x --config=configs/table6.py:row=crop_resize,dataset=cifar10,seed=0' in text


def test_supermix_lists_its_teacher_and_its_images_first():
    lines = listing.listing(TABLES['related'], 'configs/related.py').splitlines()
    at = lines.index('SuperMix  (paper: no number)')
    teacher, cell = 'runs/related_baseline_cifar10_seed0', '--config=configs/related.py:row='
    assert [line.split('main.py ')[1] for line in lines[at + 1 : at + 4]] == [
        f'{cell}baseline,dataset=cifar10,seed=0 --workdir={teacher}',
        f'{cell}baseline,dataset=cifar10,seed=0 --workdir={teacher} --mode=generate',
        f'{cell}supermix,dataset=cifar10,seed=0 --config.data_dir={teacher}/generated '
        '--workdir=runs/related_supermix_cifar10_seed0',
    ]


def test_needed_runs_take_the_cell_and_what_may_differ():
    cell = dict(row='supermix', column='cifar100', recipe='released', scale='small', seed=2)
    overrides = {'steps': 3, 'data_dir': '/data'}
    first, mixed, last = listing.commands(TABLES['related'], 'configs/related.py', cell, 'r', overrides)
    teacher = 'r/related_baseline_released_small_wrn10_1_fashion_mnist_10k_for_cifar100_seed2'
    assert (first.mode, first.workdir, first.overrides, first.makes) == ('train', teacher, overrides, '')
    assert (mixed.mode, mixed.workdir, mixed.makes) == ('generate', teacher, f'{teacher}/generated')
    assert mixed.flags == [*first.flags, '--mode=generate']
    assert (first.needs, mixed.needs, last.needs) == ((), (teacher,), (f'{teacher}/generated',))
    assert last.overrides == {'steps': 3, 'data_dir': f'{teacher}/generated'}
    assert last.argument == 'row=supermix,dataset=cifar100,recipe=released,scale=small,seed=2'


OTHER = """
from resizemix_jax.tables import Column, Row, Table
TABLE = Table('{name}', 'O.', ({rows},), (Column('x'), Column('z')), default_row='a')
get_config = TABLE.get_config
"""


def _file(path, name, rows="Row('a', 'A')"):
    (path / f'{name}.py').write_text(OTHER.format(name=name, rows=rows))
    return str(path / f'{name}.py')


def _needing(*needs):
    return Table('t', 'T.', (Row('a', 'A', needs=needs),), (Column('x'), Column('y')), default_row='a')


def test_a_run_of_another_table_is_found_beside_the_file(tmp_path):
    path = _file(tmp_path, 'other')
    table = _needing(('other', 'a', 'teacher'))
    cell = dict(row='a', column='y', seed=1)
    made = listing.commands(table, tmp_path / 't.py', cell, 'r', {'steps': 3, 'num_devices': 1})
    assert [(c.mode, c.path, c.argument, c.overrides) for c in made[:2]] == [
        ('train', path, 'row=a,model=x,seed=1', {'num_devices': 1}),
        ('generate', path, 'row=a,model=x,seed=1', {'num_devices': 1}),
    ]
    assert made[2].overrides == {'steps': 3, 'num_devices': 1, 'data_dir': 'r/other_a_x_seed1/generated'}


def test_needed_runs_do_not_take_the_paths_of_each_other(tmp_path):
    _file(tmp_path, 'other', "Row('a', 'A'), Row('b', 'B')")
    table = _needing(('other', 'a', 'teacher'), ('other', 'b', 'policy'))
    cell = dict(row='a', column='x', seed=0)
    made = listing.commands(table, tmp_path / 't.py', cell, 'r', {'data_dir': '/data'})
    assert [command.overrides for command in made[:3]] == [{'data_dir': '/data'}] * 3
    assert made[3].overrides == {
        'data_dir': 'r/other_a_x_seed0/generated', 'policy_args.policy': 'r/other_b_x_seed0/policy.json',
    }  # fmt: skip
    assert made[3].needs == ('r/other_a_x_seed0/generated', 'r/other_b_x_seed0')


def test_needs_that_cannot_be_met_are_named(tmp_path):
    cell, path = dict(row='a', column='x', seed=0), tmp_path / 't.py'
    with pytest.raises(ConfigError, match='configs/absent.py: there is no such file'):
        listing.commands(_needing(('absent', 'a', 'teacher')), path, cell)
    with pytest.raises(ConfigError, match='t, row a needs a run of fake, and configs/fake.py has no TABLE'):
        listing.commands(_needing(('fake', 'a', 'teacher')), path, cell)
    _file(tmp_path, 'other', "Row('a', 'A', needs=(('more', 'a', 'teacher'),))")
    with pytest.raises(ValueError, match="row='b' must be one of: a"):
        listing.commands(_needing(('other', 'b', 'teacher')), path, cell)
    _file(tmp_path, 'more', "Row('a', 'A', needs=(('other', 'a', 'teacher'),))")
    circle = 'a of t, which needs a of other, which needs a of more, which needs a of other'
    with pytest.raises(ConfigError, match=f'rows must not need each other: {circle}'):
        listing.commands(_needing(('other', 'a', 'teacher')), path, cell)


def test_flags():
    assert listing.flags('F', 'row=a', {'b': [1, 2], 'a.c': 0.5}, 'D') == [
        '--config=F:row=a', '--config.a.c=0.5', '--config.b=(1, 2)', '--workdir=D',
    ]  # fmt: skip
    assert listing.flags(pathlib.Path('F'), '', {}, 'D') == ['--config=F', '--workdir=D']


def conclusion(argument, table=TABLES['table2'], **values):
    """The lines on a run of a cell with overrides; a double underscore is a dot."""
    config = table.get_config(argument)
    configs.override(config, {key.replace('__', '.'): value for key, value in values.items()})
    return listing.conclusion(table, config, {'top1_last': 0.5, 'steps': 3}, 'top1').splitlines()


def test_a_conclusion_has_the_score_and_the_paper_s_number_of_its_cell():
    cell, paper = 'row=resizemix,model=ss26_2x96d', 'the paper, ResizeMix, ss26_2x96d: 97.93 %'
    assert conclusion(cell) == ['top1_last: 50.00 %', paper]
    assert conclusion(f'{cell},recipe=released,seed=3', data_dir='x', num_devices=2)[1] == paper
    small = 'is wide_resnet (depth=10, width=1) on fashion_mnist_10k, 6 epochs, at scale=small'
    for argument, values, words in (
        ('row=resizemix,scale=small', {}, small),
        (cell, {'steps': 3, 'mixing_args__tau': (0.2, 0.3)}, 'overrides mixing_args.tau, steps'),
        (cell, {'dataset': 'cifar100', 'mixing': 'cutmix'}, 'overrides dataset, mixing'),
    ):
        assert conclusion(argument, **values)[1].endswith(f' %; not comparable, since this run {words}')
    assert len(conclusion('', TABLES['quickstart'])) == 1
    (_, held) = conclusion(cell, held_out=0.1)
    assert held.endswith('; not comparable, since this run overrides held_out')
    config = TABLES['table2'].get_config(cell)
    alone = listing.conclusion(None, config, {'map_best': 0.25, 'loss_top1': 1.0}, 'map')
    assert alone == 'map_best: 25.00 %'


def test_a_conclusion_says_on_which_split_a_score_was_measured():
    table = TABLES['table3']
    config = table.get_config('row=cutmix')
    training = {'top1_best': 0.5, 'test_top1_best': 0.25, 'evaluated_on': 'held_out'}
    assert listing.conclusion(None, config, training, 'top1').splitlines() == [
        'top1_best: 50.00 %, on held_out', 'test_top1_best: 25.00 %',
    ]  # fmt: skip
    lines = listing.conclusion(
        table, config, {'last_top1': 1.0, 'evaluated_on': 'train'}, 'top1'
    ).splitlines()
    assert lines[0] == 'last_top1: 100.00 %, on train'
    assert lines[1].endswith('83.40 %; not comparable, since this run is measured on train')
    lines = listing.conclusion(table, config, {'last_top1': 1.0, 'evaluated_on': 'eval'}, 'top1').splitlines()
    assert lines == ['last_top1: 100.00 %', 'the paper, CutMix, wrn28_10: 83.40 %']


def test_a_finished_run_says_where_it_is_and_what_comes_next():
    result = {'steps': 1872, 'seconds': 90.0, 'compile_seconds': 30.5}
    assert listing.finished('w', result) == 'w: finished after 1872 steps in 90 s, 30.5 s of it compilation'
    old = {'steps': 3, 'seconds': 7200.0}
    assert listing.finished('w', old) == 'w: finished after 3 steps in 2 h'
    command = listing.Command('train', 'F', 'row=a', {'steps': 3}, 'w')
    lines = listing.next_commands(command, TABLES['table2'], ('x',)).splitlines()
    flags = 'x --config=F:row=a --config.steps=3 --workdir=w'
    assert [line.strip() for line in lines[1::2]] == [f'{flags} --mode=gallery', f'{flags} --mode=report']
    assert 'report' not in listing.next_commands(command, None)


def test_a_setting_is_what_was_really_used():
    table = TABLES['table3']
    assert listing.setting(table.get_config('model=ss26_2x96d')) == (
        'shake_shake (depth=26, width=96) on cifar100, 1800 epochs'
    )
    config = configs.override(table.get_config('scale=small'), {'steps': 7})
    words = 'wide_resnet (depth=10, width=1) on fashion_mnist_10k'
    assert listing.setting(configs.stored(config)) == f'{words}, 7 steps'
    assert listing.setting(config, length=False) == words
    configs.override(config, {'held_out': 0.05})
    assert listing.setting(config) == f'{words}, 7 steps, 5 % of the training images held out'
