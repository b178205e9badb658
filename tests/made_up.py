"""Directories of runs that never ran, for what reads such directories."""

import json
import pathlib
import re

from resizemix_jax import config as configs
from resizemix_jax import modes
from resizemix_jax.run import results
from tests.configs.tables import TABLES

STEPS = 10  # of an epoch


def run(root, argument, accuracies, *, table='table3', finished=True, name='', **values):
    """Writes a run, evaluated after every epoch; `values` are its overrides. Returns its directory."""
    overrides = {key.replace('__', '.'): value for key, value in values.items()}
    config = configs.override(TABLES[table].get_config(argument), overrides)
    rows = []
    for epoch, top1 in enumerate(accuracies, 1):
        step, seconds = epoch * STEPS, 60.0 * epoch
        rows.append({'step': step, 'epoch': float(epoch), 'images_per_second': 100.0, 'seconds': seconds})
        rows.append({'step': step, 'eval_top1': top1, 'eval_top5': 0.9, 'seconds': seconds})
    path = pathlib.Path(root) / (name or argument.replace(',', '_').replace('=', '-'))
    path.mkdir(parents=True)
    (path / 'config.json').write_text(config.to_json())
    (path / 'metrics.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows))
    if finished:
        (path / 'result.json').write_text(json.dumps(results.summary(config, rows, '1 x cpu')))
    return path


def layout(name='table3'):
    """The Layout of a table, as the command makes it."""
    return modes.layout(TABLES[name], f'configs/{name}.py')


def first_table(text):
    """The first table of a Markdown page: the first cell of a line -> the others; the header's lines too."""
    table = re.search(r'(^\|.*\|$\n?)+', text, re.MULTILINE).group()
    found = [[cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines()]
    return {first: rest for first, *rest in found}
