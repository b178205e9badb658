"""Every cell of every table: golden, buildable, and read to the last key."""

import json
import pathlib
import re

import ml_collections
import pytest

from resizemix_jax import build, recipes
from resizemix_jax.config import base
from resizemix_jax.errors import DataError
from tests.configs.tables import OWN, TABLES, module

ROOT = pathlib.Path(__file__).parents[2]
GOLDEN = pathlib.Path(__file__).parents[1] / 'golden'


def cells(table):
    """argument -> config, for every cell that can be run, in both recipes, with the keys off the base."""
    made = {}
    for row in module(table).ROWS:
        for value in module(table).COLUMNS:
            for recipe in recipes.NAMES if table not in OWN else ('paper',):
                if 'refused' not in row:
                    parts = {'row': row['row'], module(table).COLUMN: value, 'recipe': recipe}
                    if table in OWN:
                        parts = {'row': row['row']}
                    arg = ','.join(f'{key}={value}' for key, value in parts.items())
                    made[arg] = module(table).get_config(arg)
    return made


@pytest.mark.parametrize('table', TABLES)
def test_golden(table):
    """A refactoring must not change a hyper-parameter. For a wanted one, delete the file and rerun."""
    resolved = {arg: json.loads(config.to_json()) for arg, config in cells(table).items()}
    path = GOLDEN / f'{table}.json'
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(resolved, indent=1, sort_keys=True) + '\n')
        pytest.fail(f'{path.name} was missing and has been written; look at it and commit it')
    assert resolved == json.loads(path.read_text())


@pytest.mark.parametrize('table', TABLES)
def test_rows(table):
    rows = module(table).ROWS
    assert len({row['row'] for row in rows}) == len(rows)
    for row in rows:
        assert {'row', 'title', 'paper'} <= set(row)
        assert ('refused' in row) != ('mixing' in row)
        assert set(row['paper']) <= {'cost', *module(table).COLUMNS}


def test_the_paper_s_numbers_are_all_there():
    counts = {table: sum(len(row['paper']) for row in module(table).ROWS) for table in TABLES}
    # the numbers that the paper prints in each table, costs included, dashes not
    assert counts == {
        'quickstart': 0, 'small_study': 0, 'table1': 8, 'table2': 39, 'table3': 37, 'table4': 25,
        'table6': 12, 'table7': 4, 'table8': 5, 'related': 0,
    }  # fmt: skip
    by_row = {row['row']: row['paper'] for row in module('table3').ROWS}
    assert by_row['resizemix'] == {'cost': 0, 'wrn28_10': 84.31, 'ss26_2x96d': 85.26}


@pytest.mark.parametrize('table', [table for table in TABLES if table != 'table6'])
def test_the_default_row_is_the_paper_s_method(table):
    config = module(table).get_config('seed=2')
    assert (config.seed, config.mixing, config.mixing_args.tau) == (2, 'resizemix', (0.1, 0.8))


@pytest.mark.parametrize('table', TABLES)
def test_no_none_and_no_list(table):
    def leaves(node):
        for value in node.values():
            yield from leaves(value) if isinstance(value, ml_collections.ConfigDict) else [value]

    for config in cells(table).values():
        assert not [leaf for leaf in leaves(config) if leaf is None or isinstance(leaf, list)]


def test_every_key_is_read():
    """A key that nothing reads would be a promise that nothing keeps."""
    files = [*(ROOT / 'resizemix_jax').rglob('*.py')]
    text = '\n'.join(f.read_text() for f in files)
    unread = [key for key in base() if not re.search(rf"config\.{key}\b|'{key}'", text)]
    assert not unread
    # Keys of a group are keywords of a function, which refuses what it does not take; so all groups must be
    # handed over whole.
    groups = {k for k, v in base().items() if isinstance(v, ml_collections.ConfigDict)}
    assert groups == {
        'task_args',
        'dataset_args',
        'model_args',
        'augment_args',
        'policy_args',
        'mixing_args',
        'saliency_args',
        'optimizer',
        'generate_args',
    }


@pytest.mark.parametrize(
    ('table', 'arg'),
    [
        ('table2', 'row=cutout,model=wrn28_10,recipe=released'),
        ('table3', 'row=resizemix,model=ss26_2x96d'),
        ('table3', 'row=cutmix,model=wrn28_10'),
        ('table4', 'row=resizemix,model=resnet50'),
        ('table1', 'row=salient_to_random'),
        ('table1', 'row=random_to_non_salient'),
        ('table2', 'row=aa'),
        ('table2', 'row=ra,model=ss26_2x96d'),
        ('table2', 'row=resizemix_plus'),
        ('table3', 'row=pba'),
        ('table3', 'row=dada'),
        ('table4', 'row=fast_aa'),
        ('table6', 'row=crop_resize,dataset=cifar10'),
        ('table7', 'row=before'),
        ('operations', 'row=cutout'),
        ('table6', 'row=resize_resize,dataset=imagenet'),
        ('table8', 'row=0.1-0.9'),
        ('quickstart', 'row=mixup'),
    ],
)
def test_cells_build_and_only_miss_their_data(table, arg, tmp_path):
    config = module(table).get_config(arg)
    config.data_dir = str(tmp_path)
    plan = build.plan(config)
    assert plan.dataset.name == config.dataset
    if table not in (*OWN, 'operations'):
        with pytest.raises(DataError, match='not prepared'):
            build.open_run(plan)
