"""The tables, for their tests: every file of configs/ that has one."""

import pathlib

from resizemix_jax import config_files, recipes

ROOT = pathlib.Path(__file__).parents[2]
FILES = tuple(sorted(path.stem for path in (ROOT / 'configs').glob('[!_]*.py')))
TABLES = {
    name: file.table for name in FILES if (file := config_files.load(ROOT / f'configs/{name}.py')).table
}


def cells(name):
    """argument -> config, for every cell of a table that can be run, in every recipe that it offers."""
    table, made = TABLES[name], {}
    for recipe in recipes.NAMES if table.choices else ('paper',):
        for cell in table.cells(columns=[column.name for column in table.columns], recipe=recipe):
            argument = table.argument(cell)
            made[argument] = table.get_config(argument)
    return made
