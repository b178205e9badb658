"""Every table of configs/, whichever there are: its cells are golden, can be built, listed and refused."""

import shlex

import ml_collections
import pytest

from resizemix_jax import build, config_files, key_groups, listing, overrides
from resizemix_jax import config as configs
from resizemix_jax.errors import DataError
from tests.configs import golden
from tests.configs.tables import FILES, ROOT, TABLES, cells
from tests.input import cocokit, vockit

ALL = pytest.mark.parametrize('name', TABLES)


def test_golden_base():
    assert golden.base().splitlines() == (golden.GOLDEN / 'base.txt').read_text().splitlines()


@ALL
def test_golden(name):
    """A refactoring must not change a hyper-parameter; see tests/configs/golden.py for a wanted change."""
    path = golden.GOLDEN / f'{name}.txt'
    if not path.exists():
        pytest.skip(f'{path.name} does not exist: python -m tests.configs.golden writes it')
    found, stored = golden.of_table(name).splitlines(), path.read_text().splitlines()
    assert [line for line in found if line not in stored] == []
    assert found == stored


def test_a_golden_file_has_its_table():
    assert {path.stem for path in golden.GOLDEN.glob('*.txt')} <= {'base', *TABLES}


@pytest.mark.parametrize('name', FILES)
def test_every_config_file_resolves_and_explains_itself(name):
    file = config_files.load(ROOT / f'configs/{name}.py')
    config = file.get_config()
    assert f'python main.py --config=configs/{name}.py' in file.doc
    assert config.table == name and configs.stored(configs.complete(config)) == configs.stored(
        file.get_config()
    )


@ALL
@pytest.mark.slow
def test_every_cell_names_itself_and_is_complete(name):
    table = TABLES[name]
    for config in cells(name).values():
        stored = configs.stored(config)
        assert table.resolve(stored) == stored == configs.migrate(stored)
        assert not [leaf for leaf in _leaves(config) if leaf is None or isinstance(leaf, list)]
        for group, function in configs.functions(config).items():
            assert function is None or set(config[group]) == set(configs.keywords(function))


def _leaves(node):
    for value in node.values():
        yield from _leaves(value) if isinstance(value, ml_collections.ConfigDict) else [value]


@ALL
def test_the_paper_has_a_number_or_a_dash(name):
    for row in TABLES[name].rows:
        for column, number in row.paper.items():
            assert number >= 0 if column == 'cost' else 0 < number < 100


@ALL
@pytest.mark.slow
def test_the_listing_has_every_row_and_its_commands_resolve(name):
    table, path = TABLES[name], f'configs/{name}.py'
    lines = listing.listing(table, path).splitlines()
    assert lines[0] == table.title
    for row in table.rows:
        assert any(line.startswith(f'{row.title}  (paper: ') for line in lines)
        if row.refused:
            assert f'    cannot be run: {row.refused}' in lines
            with pytest.raises(ValueError, match=f'row={row.name} .* cannot be run: {row.refused}'):
                table.get_config(f'row={row.name}')
    commands = [shlex.split(line)[2:] for line in lines if line.startswith('    python main.py')]
    assert len(commands) >= len(table.cells())
    for words in commands:
        sorted_words = overrides.sort(words)
        config = config_files.load(sorted_words.path).get_config(sorted_words.argument)
        overrides.apply(config, sorted_words.texts)


@ALL
def test_the_small_scale_changes_the_network_and_keeps_the_method(name):
    table = TABLES[name]
    if 'scale' not in table.choices:
        with pytest.raises(ValueError, match="'scale=small' in the config argument"):
            table.get_config('scale=small')
        return
    for cell in table.cells(scale='small'):
        small, own = (
            table.get_config(table.argument(cell)),
            table.get_config(table.argument(cell | {'scale': 'paper'})),
        )
        assert small.epochs <= 15 and small.batch_size == 32
        assert small.dataset in ('fashion_mnist_10k', 'fashion_scenes', 'generated')
        changed = {
            key.partition('.')[0]
            for key, _, _ in key_groups.differences(configs.stored(own), configs.stored(small))
        }
        assert not changed & set(key_groups.METHOD_KEYS) - {
            'augment',
            'augment_args',
            'mixing_args',
            'task_args',
        }
        assert small.mixing == 'cutout' or small.mixing_args == own.mixing_args


def _rows():
    """(table, row) of every method, once: tables share their baseline, CutMix and ResizeMix."""
    found = {}
    for name, table in TABLES.items():
        for row in table.rows:
            if not row.refused:
                config = configs.stored(_small(name, row.name))
                method = {key: config[key] for key in (*key_groups.METHOD_KEYS, 'dataset')}
                found.setdefault(str(method), (name, row.name))
    return list(found.values())


def _small(name, row):
    """A row at the small scale, where there is one, with a small network."""
    scale = ',scale=small' if 'scale' in TABLES[name].choices else ''
    config = TABLES[name].get_config(f'row={row}{scale}')
    return configs.override(config, {} if config.task.startswith('detect') else {'model': 'tests.small'})


@pytest.mark.parametrize(('name', 'row'), _rows())
@pytest.mark.slow
def test_every_row_can_be_built_and_misses_nothing_but_its_data(name, row, tmp_path):
    """The step is traced on shapes."""
    _build(_small(name, row), tmp_path, build.unopened_run)


@pytest.mark.parametrize(('name', 'column'), [(n, c.name) for n in TABLES for c in TABLES[n].columns])
@pytest.mark.slow
def test_every_column_can_be_built_and_misses_nothing_but_its_data(name, column, tmp_path):
    table = TABLES[name]
    _build(table.get_config(f'row={table.default_row},{table.column_key}={column}'), tmp_path)


# Datasets that a directory is named for: a small one of their own schema.
MADE = {'voc': vockit.write, 'coco': cocokit.make}


def _build(config, data_dir, open_run=build.open_run):
    config.data_dir = str(data_dir)
    if config.dataset in MADE:
        config.dataset = f'{config.dataset}:{MADE[config.dataset](data_dir / config.dataset)}'
    try:
        plan = build.plan(config)
        assert plan.dataset.name == config.dataset
        if config.dataset.partition(':')[0] not in MADE:  # a batch is more than those have
            open_run(plan)
    except DataError as error:
        assert 'not prepared' in str(error) or 'holds no generated set' in str(error)
