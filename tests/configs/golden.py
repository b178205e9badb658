"""The configs of all cells as text.

tests/golden/base.txt has the default of every key, and a file for each table a line for each cell, with the
keys that differ from it. For a wanted change rewrite them, and review the diff:

    python -m tests.configs.golden
"""

import json
import pathlib

from resizemix_jax import config as configs
from resizemix_jax import key_groups
from tests.configs.tables import TABLES, cells

GOLDEN = pathlib.Path(__file__).parents[1] / 'golden'


def base():
    """The text of base.txt: a line a key."""
    stored = configs.stored(configs.complete(configs.base()))
    return ''.join(f'{key} = {_text(value)}\n' for key, value in sorted(stored.items()))


def of_table(name):
    """The text of a table's file: a line a cell. `-key` is a key of the base that the cell does not have."""
    default = configs.stored(configs.complete(configs.base()))
    lines = []
    for argument, config in cells(name).items():
        changed = key_groups.differences(default, configs.stored(config), ignore=())
        words = [f'-{key}' if new == 'absent' else f'{key}={_text(new)}' for key, _, new in changed]
        lines.append(' '.join([f'{argument}:', *words]))
    return '\n'.join(lines) + '\n'


def _text(value):
    return json.dumps(value, sort_keys=True, separators=(',', ':'))


def main():
    for name, text in {'base': base(), **{name: of_table(name) for name in TABLES}}.items():
        (GOLDEN / f'{name}.txt').write_text(text)


if __name__ == '__main__':
    main()
