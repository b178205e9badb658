"""The cells of a table: which there are, and how each is asked for.

A cell is a mapping with row, column and seed, and recipe and scale unless they are the paper's: so the config
that a run stored names its cell. A table is the names of its file.
"""

CHOICES = ('recipe', 'scale')  # of the argument; 'paper' is the default of each


def every(table, rows=(), columns=(), seeds=1, recipe='paper', scale='paper'):
    """The cells of a table that can be run, all rows and columns of one seed before the next.

    Args:
        rows, columns: names; () for all there are. At the small scale all columns are one network on one
            dataset, so () is the first.
        seeds: how many, from 0.

    Raises:
        ValueError: a row that is not there or cannot be run, a column that is not there.
    """
    refused = {row['row']: row['refused'] for row in table['ROWS'] if 'refused' in row}
    known = [row['row'] for row in table['ROWS']]
    for name, given, there in (('rows', rows, known), ('columns', columns, table['COLUMNS'])):
        for value in given:
            if value not in there:
                raise ValueError(f'--{name}: {value!r} must be one of: {", ".join(there)}')
            if value in refused:
                raise ValueError(f'--rows: {value} cannot be run: {refused[value]}')
    rows = rows or [row for row in known if row not in refused]
    columns = columns or table['COLUMNS'][: 1 if scale == 'small' else None]
    return [
        dict(row=row, column=column, recipe=recipe, scale=scale, seed=seed)
        for seed in range(seeds)
        for column in columns
        for row in rows
    ]


def check_sweep(table, argument, overrides):
    """Raises ValueError if a config is of no table, or names what a sweep has flags for."""
    if not table.get('ROWS'):
        raise ValueError('a sweep needs a table with rows, e.g. --config=configs/table3.py')
    own = {'row': 'rows', table['COLUMN']: 'columns', 'seed': 'seeds'}
    for key in [item.partition('=')[0] for item in argument.split(',')] + list(overrides):
        if key in own:
            raise ValueError(f'{key} is chosen by --{own[key]} in a sweep, not in the config')


def argument(table, cell):
    """The config's argument for a cell; what is the table's default is not in it."""
    parts = {'row': cell['row']}
    if len(table['COLUMNS']) > 1:
        parts[table['COLUMN']] = cell['column']
    parts |= _chosen(cell) | {'seed': cell['seed']}
    return ','.join(f'{key}={value}' for key, value in parts.items())


def directory(name, cell):
    """The name of a cell's workdir in a sweep of the table `name`."""
    return '_'.join([name, cell['row'], cell['column'], *_chosen(cell).values(), f'seed{cell["seed"]}'])


def flags(path, argument, overrides, workdir):
    """The flags of the command that trains a cell, or another `argument` of the config file `path`."""
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in sorted(overrides.items())}
    changes = [f'--config.{key}={value}' for key, value in values.items()]
    return [f'--config={path}:{argument}', *changes, f'--workdir={workdir}']


def _chosen(cell):
    return {key: cell[key] for key in CHOICES if cell.get(key, 'paper') != 'paper'}
