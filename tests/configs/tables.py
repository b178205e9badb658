"""The tables, for their tests."""

import importlib

TABLES = (
    'quickstart', 'small_study', 'table1', 'table2', 'table3', 'table4', 'table6', 'table7', 'table8',
    'related',
)  # fmt: skip
OWN = ('quickstart', 'small_study')  # no experiments of the paper


def module(table):
    return importlib.import_module(f'configs.{table}')
