"""A table of experiments: its rows, its columns, and the config of every cell.

A file of configs/ fills it: TABLE = Table(...), get_config = TABLE.get_config. A cell is a mapping with row,
column, seed, recipe and scale, so the config that a run stored names its cell.
"""

import dataclasses
from collections.abc import Mapping

from resizemix_jax import config as configs
from resizemix_jax import key_groups, recipes, small_scale
from resizemix_jax.arguments import choose, parse
from resizemix_jax.table_rules import check

UNPUBLISHED = 'its authors published neither code nor policy that could be run'
CHOICES = ('recipe', 'scale')  # of the argument; the default of each is 'paper'


@dataclasses.dataclass(frozen=True)
class Row:
    """A method.

    Attributes:
        name: in commands.
        title: in the paper.
        keys: of the config that make the row, see `config.assign`.
        paper: column -> the paper's number (top-1 in %; 'cost' in GPU hours); a dash in the paper is absent.
        per_column: column -> further keys, where the row differs.
        refused: why the row cannot be run, or ''.
        needs: (table, row, what) of each run that it starts from; `what` is a key of `table_rules.USES`. That
            run has the same seed, recipe and scale, and the same column where its table has it.
    """

    name: str
    title: str
    keys: Mapping = dataclasses.field(default_factory=dict)
    paper: Mapping = dataclasses.field(default_factory=dict)
    per_column: Mapping = dataclasses.field(default_factory=dict)
    refused: str = ''
    needs: tuple = ()


@dataclasses.dataclass(frozen=True)
class Column:
    """A network on a dataset.

    Attributes:
        name: in commands and in `Row.paper`.
        network: a key of `recipes.NETWORKS`, or '' for the default network; a table where a column has none
            offers neither recipe nor scale.
        keys: of the config, see `config.assign`; the network's recipe comes after them.
    """

    name: str
    network: str = ''
    keys: Mapping = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows by columns.

    Attributes:
        name: of its file, without .py.
        doc: the docstring of its file; the first line is the title.
        rows: tuple of `Row`.
        columns: tuple of `Column`.
        column_key: the key of the argument that names a column, 'model' or 'dataset'.
        keys: of the config, for all cells; the column's come after them.
        default_row, default_column: of the argument; '' for the first column.

    Raises:
        ValueError: a name that occurs twice or does not exist, a key that a config does not have; the message
            names the table and the part.
    """

    name: str
    doc: str
    rows: tuple
    columns: tuple
    column_key: str = 'model'
    keys: Mapping = dataclasses.field(default_factory=dict)
    default_row: str = 'resizemix'
    default_column: str = ''

    def __post_init__(self):
        check(self)

    @property
    def title(self):
        return self.doc.strip().partition('\n')[0]

    @property
    def choices(self):
        """The arguments beside row, column and seed: recipe and scale, or none."""
        return CHOICES if all(column.network for column in self.columns) else ()

    def row(self, name):
        """The row of that name, refused or not; ValueError lists the names."""
        return _named('row', name, self.rows)

    def get_config(self, arg=''):
        """The config of a cell, completed.

        Args:
            arg: 'key=value,...' with the keys row, model or dataset, recipe, scale and seed. A key of
                NAME_KEYS chooses another member, e.g. `config.mixing=gridmix`, with the defaults of its
                keywords. The command applies `--config.mixing=gridmix` in the same way before it reads the
                other overrides, so that `--config.mixing_args.cells=2` beside it finds its key.

        Raises:
            ValueError: an unknown key or value, or a refused row, with the reason.
        """
        items = list(filter(None, (arg or '').split(',')))
        names = [item.removeprefix('config.') for item in items if item.startswith('config.')]
        others = ','.join(item for item in items if not item.startswith('config.'))
        defaults = {'row': self.default_row, self.column_key: self.default_column or self.columns[0].name}
        chosen = parse(others, **defaults, **dict.fromkeys(self.choices, 'paper'), seed=0)
        cell = {**dict.fromkeys(CHOICES, 'paper'), **chosen, 'column': chosen[self.column_key]}
        config = self._config(cell)
        members = parse(','.join(names), **{key: config[key] for key in configs.NAME_KEYS})
        return configs.override(config, members)

    def _config(self, cell):
        row = self.row(cell['row'])
        column = _named(self.column_key, cell['column'], self.columns)
        choose('recipe', cell['recipe'], recipes.NAMES)
        choose('scale', cell['scale'], recipes.SCALES)
        if row.refused:
            raise ValueError(f'row={row.name} ({row.title}) cannot be run: {row.refused}')
        small = cell['scale'] == 'small'
        name = column.network
        network = small_scale.small(name).keys if small else recipes.NETWORKS.get(name)
        config = configs.base()
        config.table = self.name
        for key in ('row', 'column', 'recipe', 'scale', 'seed'):
            config[key] = cell[key]
        try:
            for keys in (self.keys, column.keys, network(cell['recipe']) if network else {}):
                configs.assign(config, keys)
            configs.complete(configs.assign(config, _keys(row, column.name)))
        except (ValueError, TypeError) as error:
            raise ValueError(f'table {self.name}, row {row.name}, column {column.name}: {error}') from error
        if small:
            small_scale.fit_small(config)
        return config

    def resolve(self, stored):
        """The config, as stored, of the cell that a stored config names; ValueError if there is none."""
        return configs.stored(self.get_config(self.argument(stored)))

    def variants(self, config):
        """The methods of the rows, each in a config that is equal otherwise: a tuple of (title, config).

        Args:
            config: of a cell; the method of its own row stays as it is, overrides included.
        """
        rows = [row for row in self.rows if not row.refused]
        # A map that the config was given for its own method is not for the others.
        differing = {'saliency'}.union(*(_keys(row, config.column) for row in rows))
        reset = {key: configs.base()[key] for key in differing if key in key_groups.METHOD_KEYS}
        made = []
        for row in rows:
            other = config.copy_and_resolve_references()
            if row.name != config.row:
                keys = _keys(row, config.column)
                configs.assign(other, reset)
                configs.assign(other, {key: keys[key] for key in keys if key in key_groups.METHOD_KEYS})
                configs.complete(other)
            made.append((row.title, other))
        return tuple(made)

    def cells(self, rows=(), columns=(), seeds=1, recipe='paper', scale='paper'):
        """The cells that can be run: all rows and columns of one seed before those of the next.

        Args:
            rows, columns: names; () for all. Columns of one `small_scale.small` are the same at that scale,
                and () is the first of each.
            seeds: how many, from 0.

        Raises:
            ValueError: a row that does not exist or is refused, a column that does not exist.
        """
        chosen = [_named('--rows', name, self.rows) for name in rows]
        for row in chosen:
            if row.refused:
                raise ValueError(f'--rows: {row.name} cannot be run: {row.refused}')
        named = [_named('--columns', name, self.columns) for name in columns]
        return [
            dict(row=row.name, column=column.name, recipe=recipe, scale=scale, seed=seed)
            for seed in range(seeds)
            for column in named or self._different(scale)
            for row in chosen or self.rows
            if not row.refused
        ]

    def _different(self, scale):
        """The columns that differ at a scale."""
        if scale != 'small':
            return self.columns
        first = {}
        for column in self.columns:
            first.setdefault(small_scale.small(column.network).name, column)
        return tuple(first.values())

    def needed(self, name, cell):
        """The cell of the row `name` that a run of `cell`, of any table, starts from; see `Row.needs`."""
        row = self.row(name)
        if row.refused:
            raise ValueError(f'table {self.name}, row {name} is needed and cannot be run: {row.refused}')
        known = [column.name for column in self.columns]
        column = cell['column'] if cell['column'] in known else self.default_column or known[0]
        chosen = {key: cell[key] for key in CHOICES if key in self.choices and key in cell}
        return dict(row=name, column=column, seed=cell['seed']) | chosen

    def argument(self, cell):
        """The config's argument for a cell, without what is the default in every table."""
        parts = {'row': cell['row']}
        if len(self.columns) > 1:
            parts[self.column_key] = cell['column']
        parts |= _chosen(cell) | {'seed': cell['seed']}
        return ','.join(f'{key}={value}' for key, value in parts.items())

    def directory(self, cell):
        """The name of a cell's workdir in a sweep: of the network and data that it has."""
        where = [cell['column'], *_chosen(cell).values()]
        if cell.get('scale') == 'small':
            known = {column.name: small_scale.small(column.network).name for column in self.columns}
            name = known[cell['column']]
            first = next(column for column in known if known[column] == name)
            where = [*where[1:], name, *(f'for_{column}' for column in where[:1] if column != first)]
        return '_'.join([self.name, cell['row'], *where, f'seed{cell["seed"]}'])


def _named(key, name, parts):
    by_name = {part.name: part for part in parts}
    return by_name[choose(key, name, tuple(by_name))]


def _keys(row, column):
    """The keys that a row sets in a column; groups are merged."""
    keys = dict(row.keys)
    for key, value in row.per_column.get(column, {}).items():
        keys[key] = keys[key] | value if isinstance(value, Mapping) and key in keys else value
    return keys


def _chosen(cell):
    return {key: cell[key] for key in CHOICES if cell.get(key, 'paper') != 'paper'}
