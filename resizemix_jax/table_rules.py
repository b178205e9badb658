"""What the parts of a `tables.Table` may be."""

from resizemix_jax import config as configs
from resizemix_jax import recipes
from resizemix_jax.arguments import choose
from resizemix_jax.key_checks import check_key

COST = 'cost'  # the column of the paper's GPU hours
# How a row uses the run that it needs: what -> (mode that makes it from that run, or ''; its place below that
# run's workdir; key of the config that names it).
USES = {
    'init': ('', '', 'init'),
    'teacher': ('generate', 'generated', 'data_dir'),
    'policy': ('', 'policy.json', 'policy_args.policy'),
}


def check(table):
    """Raises ValueError unless the parts of a table fit each other and have keys that a config has."""
    where = f'table {table.name}'
    columns, rows = (_names(f'{where}, {part}', getattr(table, part)) for part in ('columns', 'rows'))
    choose(f'{where}: column_key', table.column_key, ('model', 'dataset'))
    choose(f'{where}: default_row', table.default_row, rows)
    choose(f'{where}: default_column', table.default_column, ('', *columns))
    _check_keys(where, table.keys)
    for column in table.columns:
        _check_keys(f'{where}, column {column.name}', column.keys)
        choose(f'{where}, column {column.name}: network', column.network, ('', *recipes.NETWORKS))
    for row in table.rows:
        _check_row(f'{where}, row {row.name}', row, table, (*columns, COST))


def _check_row(where, row, table, columns):
    if row.refused and (row.keys or row.per_column or row.needs):
        raise ValueError(f'{where}: it is refused, and so has no keys and no needs')
    for column in row.paper:
        choose(f"{where}: the column of the paper's number", column, columns)
    _check_keys(where, row.keys)
    for column, keys in row.per_column.items():
        choose(f'{where}: per_column', column, columns[:-1])
        _check_keys(f'{where}, column {column}', keys)
    for need in row.needs:
        if len(need) != 3:
            raise ValueError(f'{where}: needs={need!r} must be (table, row, what)')
        other, name, what = need
        choose(f'{where}: the use of a needed run', what, tuple(USES))
        _check_keys(where, [USES[what][2].partition('.')[0]])
        if other == table.name:
            known = [r.name for r in table.rows if not r.refused and r.name != row.name]
            choose(f'{where}: the row that it needs', name, known)


def _check_keys(where, keys):
    base = configs.base()
    try:
        for key in keys:
            check_key(base, key)
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from error


def _names(where, parts):
    """The names of rows or columns; ValueError for one that occurs twice or does not fit an argument."""
    names = [part.name for part in parts]
    if not names:
        raise ValueError(f'{where}: there are none')
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'{where}: {name!r} occurs twice')
        if not name or set(name) & set(',=:/ '):
            raise ValueError(f'{where}: {name!r} must be a word without , = : / and blanks')
    return names
