"""What the tables' files share: the argument, the rows, and the config of a cell.

A table's file has ROWS, a tuple of dicts:
    row      its name in commands
    title    its name in the paper
    paper    column -> the paper's number (top-1 in %, or GPU hours); a dash in the paper is absent here
    refused  why the row cannot be run; or else
    mixing, mixing_args, ...    the keys of the config that make the row
    per_column    a column -> further keys, where its row differs
and COLUMN, the key of the argument that names a column ('model' or 'dataset'), COLUMNS, its values, and
get_config(arg).
"""

import ml_collections

from resizemix_jax import recipes
from resizemix_jax.config import base

QUOTES = '"\''  # around the text of a KeyError
UNPUBLISHED = 'its authors published neither code nor policy that could be run'
NO_KEYS = {'row', 'title', 'paper', 'per_column'}  # what a row has that is no key of the config


def parse(arg, **defaults):
    """'a=1,b=x' -> a dict over `defaults`, each value of its default's type.

    Raises:
        ValueError: no key=value, an unknown key (lists the known), or a value of another type.
    """
    values = dict(defaults)
    for item in filter(None, (arg or '').split(',')):
        key, equals, text = item.partition('=')
        if not equals or key not in defaults:
            raise ValueError(
                f'{item!r} in the config argument: write key=value with a key of {", ".join(defaults)}'
            )
        try:
            values[key] = type(defaults[key])(text)
        except ValueError as error:
            kind = type(defaults[key]).__name__
            raise ValueError(f'{key}={text!r} in the config argument must be of type {kind}') from error
    return values


def choose(name, value, known):
    """`value`, or ValueError with the known ones."""
    if value not in known:
        raise ValueError(f'{name}={value!r} must be one of: {", ".join(known)}')
    return value


def of_row(table_name, rows, name, column=''):
    """The base config with the method of the row `name`.

    Raises:
        ValueError: there is no such row (lists them), or it cannot be run (says why).
    """
    row = named(rows, name)
    if 'refused' in row:
        raise ValueError(f'row={name} ({row["title"]}) cannot be run: {row["refused"]}')
    config = base()
    config.table, config.row, config.column = table_name, name, column
    return with_row(config, row, column)


def named(rows, name):
    """The row `name`, or ValueError with the names there are."""
    by_name = {row['row']: row for row in rows}
    return by_name[choose('row', name, tuple(by_name))]


def with_row(config, row, column=''):
    """`config` with what makes `row`, and what it adds for a column; changed and returned."""
    row = row | row.get('per_column', {}).get(column, {})
    for key in row.keys() - NO_KEYS:
        config[key] = ml_collections.ConfigDict(row[key]) if isinstance(row[key], dict) else row[key]
    return config


def variants(config, table):
    """The methods of a table's rows, each in an otherwise equal config: a tuple of (title, config).

    Args:
        config: of one cell; its own row stays as it is, overrides included.
        table: the names of the table's file; without ROWS, the config's own method is the only one.
    """
    rows = [row for row in table.get('ROWS', ()) if 'refused' not in row]
    # A map that the config was given for its own method is not for the others.
    keys = {key for row in rows for key in row} - NO_KEYS | {'saliency'}
    made = []
    for row in rows:
        other = config.copy_and_resolve_references()
        with other.unlocked():
            if row['row'] != config.row:
                for key in keys:
                    other[key] = base()[key]
                with_row(other, row, config.column)
        made.append((row['title'], other))
    return tuple(made) or ((config.mixing, config),)


def table(name, rows, models, arg, *, dataset, default_row='resizemix'):
    """The config of a cell of a table whose columns are networks on one dataset.

    Args:
        name: of the table.
        rows, models: ROWS and COLUMNS of its file.
        arg: the config's argument, keys row, model, recipe, scale, seed.
        dataset: a file of resizemix_jax/data.
        default_row: the row if `arg` names none.

    Raises:
        ValueError: an argument that cannot be, or a row that is refused (with the reason).
    """
    args = parse(arg, row=default_row, model=models[0], recipe='paper', scale='paper', seed=0)
    choose('model', args['model'], models)
    return cell(name, rows, args['model'], dataset=dataset, **args)


def cell(name, rows, column, *, row, model, dataset, recipe, scale, seed):
    """The base, the row's method, the recipe of the network at its scale; see `table`."""
    choose('recipe', recipe, recipes.NAMES)
    choose('scale', scale, recipes.SCALES)
    config = of_row(name, rows, row, column)
    config.recipe, config.scale, config.seed, config.dataset = recipe, scale, seed, dataset
    train_network = recipes.small if scale == 'small' else recipes.MODELS[model]
    train_network(config, recipe)
    return config


def check_overrides(overrides):
    """Raises ValueError if an override changes what only names the run and would change nothing else."""
    for key in ('table', 'row', 'column', 'recipe', 'scale'):
        if key in overrides:
            raise ValueError(
                f'--config.{key} cannot be overridden, since the values that hang on it are resolved; '
                f'write it into the argument: --config=FILE:{key}={overrides[key]}'
            )


def sentence(error):
    """What the user is told of an error of the flags or the config, in one line."""
    text = str(error).strip()
    if isinstance(error, KeyError | AttributeError):
        return f'--config: there is no such key: {text.strip(QUOTES)}'
    # A traceback inside the message is of the config file; its last line is the sentence.
    return text.splitlines()[-1] if 'Traceback' in text else text
