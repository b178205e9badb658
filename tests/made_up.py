"""Directories of runs that never ran, for what reads such directories."""

import importlib
import json
import pathlib
import re

from resizemix_jax import cells
from resizemix_jax.config import base
from resizemix_jax.report.cells import Layout
from resizemix_jax.run import results

STEPS = 10  # of an epoch


def run(root, argument, accuracies, *, table='table3', finished=True, name='', **values):
    """Writes a run, evaluated after every epoch; `values` are its overrides. Returns its directory."""
    config = importlib.import_module(f'configs.{table}').get_config(argument)
    config.update_from_flattened_dict({key.replace('__', '.'): value for key, value in values.items()})
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
    module = importlib.import_module(f'configs.{name}')
    table = vars(module)

    def resolve(stored):
        return json.loads(module.get_config(cells.argument(table, stored)).to_json())

    def flags(stored, overrides, workdir):
        return cells.flags(f'configs/{name}.py', cells.argument(table, stored), overrides, workdir)

    defaults = json.loads(base().to_json())
    return Layout(name, module.__doc__.splitlines()[0], module.ROWS, module.COLUMNS, defaults, resolve, flags)


def first_table(text):
    """The first table of a Markdown page: the first cell of a line -> the others; the header's lines too."""
    table = re.search(r'(^\|.*\|$\n?)+', text, re.MULTILINE).group()
    found = [[cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines()]
    return {first: rest for first, *rest in found}
