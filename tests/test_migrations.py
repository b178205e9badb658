"""Configs of older formats: what version 0.1.0 stored is what today's tables resolve to."""

import json
import pathlib

import pytest

from resizemix_jax import config as configs
from resizemix_jax import key_groups, migrations
from resizemix_jax.errors import ConfigError
from tests.configs.tables import TABLES

# The base of 0.1.0 and what cells of its tables stored beside it, written by that version.
# What an older run keeps as it was: SuperMix's law, the end of the released ImageNet recipe's schedule, and
# how pictures are resized.
OTHER_TODAY = {
    ('generate_args.variant', 'symmetric'),
    ('schedule_args.final_lr', 0.0),
    ('dataset_args.resize', 'linear'),
}
STORED = json.loads((pathlib.Path(__file__).parent / 'golden' / 'format1.json').read_text())


@pytest.mark.parametrize('cell', STORED['cells'])
def test_a_cell_of_0_1_0_is_the_same_experiment_today(cell):
    table, _, argument = cell.partition(':')
    old = STORED['base'] | STORED['cells'][cell]
    today = configs.stored(TABLES[table].get_config(argument))
    for key, before, _ in key_groups.differences(configs.migrate(old), today, ignore=()):
        assert (key, before) in OTHER_TODAY


@pytest.mark.parametrize('dataset', ['imagenet', 'folder:/pictures', 'tfds:food101'])
def test_a_run_from_before_antialiasing_resizes_as_it_did(dataset):
    streamed = configs.stored(TABLES['table4'].get_config('')) | {'format': 2, 'dataset': dataset}
    args = {key: value for key, value in streamed['dataset_args'].items() if key != 'resize'}
    assert configs.migrate(streamed | {'dataset_args': args})['dataset_args']['resize'] == 'linear'
    area = configs.migrate(streamed | {'dataset_args': args | {'resize': 'area'}})
    assert area['dataset_args']['resize'] == 'area'
    lacking = configs.migrate(streamed | {'format': 3, 'dataset_args': args})
    assert lacking['dataset_args']['resize'] == 'antialias'  # a run of today


def test_migration_keeps_what_a_run_was_given():
    old = STORED['base'] | {
        'optimizer': STORED['base']['optimizer'] | {'lr': 0.3, 'momentum': 0.8},
        'mixing': 'cutmix', 'mixing_args': {'prob': 0.25}, 'dataset': 'folder:/pictures', 'dataset_args': {},
    }  # fmt: skip
    before = json.dumps(old)
    new = configs.migrate(old)
    assert json.dumps(old) == before
    assert (new['optimizer'], new['optimizer_args']['momentum'], new['schedule_args']['lr']) == (
        'sgd',
        0.8,
        0.3,
    )
    assert new['mixing_args'] == {'alpha': 1.0, 'prob': 0.25, 'per': 'batch'}
    assert new['dataset'] == 'folder:/pictures' and new['dataset_args']['image_size'] == 224
    assert new['freeze'] == [] and new['format'] == configs.FORMAT


@pytest.mark.parametrize('cell', STORED['cells'])
def test_a_key_that_0_1_0_gained_later_has_its_default(cell):
    """Whatever key is missing, at the top or in a group: the run stays the experiment that it was."""
    whole = STORED['base'] | STORED['cells'][cell]
    for key in STORED['base'].keys() - set(configs.NAME_KEYS):  # a member's keywords need its name
        lacking = {name: value for name, value in whole.items() if name != key}
        default = {} if key.endswith('_args') else STORED['base'][key]
        assert configs.migrate(lacking) == configs.migrate(lacking | {key: default}), key
    for key in whole['optimizer']:
        values = {name: value for name, value in whole['optimizer'].items() if name != key}
        expected = configs.migrate(whole | {'optimizer': values | {key: STORED['base']['optimizer'][key]}})
        assert configs.migrate(whole | {'optimizer': values}) == expected, key


def test_defaults_of_0_1_0_hold_where_today_s_differ(monkeypatch):
    """A keyword that has another default today keeps, in an old run, the value that it ran with."""
    from resizemix_jax.mixing import cutmix

    monkeypatch.setitem(cutmix.cutmix.__wrapped__.__kwdefaults__, 'prob', 0.9)
    old = STORED['base'] | {'mixing': 'cutmix', 'mixing_args': {}}
    assert configs.migrate(old)['mixing_args']['prob'] == 0.5


def test_a_format_of_today_gains_what_it_lacks():
    stored = configs.stored(TABLES['quickstart'].get_config('row=cutmix'))
    lacking = {key: value for key, value in stored.items() if key not in ('freeze', 'workers')}
    lacking['mixing_args'] = {'prob': 0.5}
    assert configs.migrate(lacking) == stored


@pytest.mark.parametrize(
    ('old', 'message'),
    [
        ({'format': configs.FORMAT + 1}, f'has format {configs.FORMAT + 1}.*: update the package'),
        ({'format': 'x'}, "has format 'x'.*: update the package"),
        (STORED['base'] | {'mixing': 'gone'}, "cannot read the config: mixing='gone': .*there are: "),
        (
            STORED['base'] | {'mixing_args': {'x': 1}},
            'cannot read the config: mixing_args: none does not take x',
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(old, message):
    with pytest.raises(ConfigError, match=message):
        configs.migrate(old)


def test_what_supermix_did_is_kept():
    old = configs.stored(configs.complete(configs.base())) | {'format': 2, 'mixing': 'supermix'}
    old |= {'generate_args': {'k': 3}, 'mixing_args': {}}
    new = configs.migrate(old)
    assert (new['generate_args']['variant'], new['generate_args']['k']) == ('symmetric', 3)
    assert new['mixing_args']['variant'] == 'symmetric'
    assert configs.stored(configs.complete(configs.base()))['generate_args']['variant'] == 'released'


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'model': 'vit'}, ''),
        ({}, 'variance'),
        ({'micro_batches': 2}, 'variance micro-batch'),
        ({'model': 'shake_shake', 'dtype': 'bfloat16'}, "variance classifier Shake-Shake's"),
        ({'policy': 'randaugment', 'policy_args': {'scale': 'ildoonet'}}, 'variance ildoonet'),
        ({'policy': 'randaugment', 'policy_args': {'scale': 'timm'}}, 'variance'),
        ({'augment': 'pba', 'augment_args': {}}, 'variance PBA'),
        ({'mixing': 'resizemix', 'mixing_args': {'method': 'linear'}}, 'variance smooth'),
        ({'mixing': 'resizemix', 'mixing_args': {'method': 'nearest'}}, 'variance'),
    ],
)
def test_a_run_is_told_of_the_laws_that_it_uses(values, words):
    config = configs.stored(configs.complete(configs.base())) | values
    found = migrations.changed_laws(2, config)
    assert len(found) == len(words.split())
    for sentence, word in zip(found, words.split(), strict=True):
        assert word in sentence
    assert migrations.changed_laws(configs.FORMAT, config) == []


def test_every_format_has_its_step_and_old_keys_have_a_new_one():
    assert len(migrations.STEPS) == configs.FORMAT - 1
    config = configs.complete(configs.base())
    for new in migrations.OLD_KEYS.values():
        configs.check_key(config, new)
