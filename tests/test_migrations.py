"""Configs of older formats: what version 0.1.0 stored is what today's tables resolve to."""

import json
import pathlib

import pytest

from resizemix_jax import config as configs
from resizemix_jax import migrations
from resizemix_jax.errors import ConfigError
from tests.configs.tables import TABLES

# The base of 0.1.0 and what cells of its tables stored beside it, written by that version.
STORED = json.loads((pathlib.Path(__file__).parent / 'golden' / 'format1.json').read_text())


@pytest.mark.parametrize('cell', STORED['cells'])
def test_a_cell_of_0_1_0_is_the_same_experiment_today(cell):
    table, _, argument = cell.partition(':')
    old = STORED['base'] | STORED['cells'][cell]
    today = configs.stored(TABLES[table].get_config(argument))
    if 'resize' in today['dataset_args']:  # its default has changed
        today['dataset_args']['resize'] = 'linear'
    assert configs.migrate(old) == today


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
        ({'mixing': 'none'}, "format 1 lacks the key 'optimizer'"),
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


def test_every_format_has_its_step_and_old_keys_have_a_new_one():
    assert len(migrations.STEPS) == configs.FORMAT - 1
    config = configs.complete(configs.base())
    for new in migrations.OLD_KEYS.values():
        configs.check_key(config, new)
