"""Directories of runs that never ran, for code that reads such directories."""

import json
import pathlib
import re

from resizemix_jax import config as configs
from resizemix_jax.run import results
from tests.configs.tables import TABLES

STEPS = 10  # of an epoch


def run(root, argument, scores, *, table='table3', finished=True, name='', result=None, rates=(), **values):
    """Writes a run that was evaluated after every epoch; returns its directory.

    Args:
        root: of all runs.
        argument: of the config.
        scores: of the evaluations.
        table: of the cell.
        finished: whether there is a result.json.
        name: of the directory; by default after the argument.
        result: further values of result.json.
        rates: images per second in every epoch.
        **values: overrides; a double underscore is a dot.
    """
    config = TABLES[table].get_config(argument)
    configs.override(config, {key.replace('__', '.'): value for key, value in values.items()})
    score, rows = results.score_of(config), []
    for epoch, value in enumerate(scores, 1):
        step, seconds = epoch * STEPS, 60.0 * epoch
        rate = rates[epoch - 1] if rates else 100.0
        rows.append({'step': step, 'epoch': float(epoch), 'images_per_second': rate, 'seconds': seconds})
        rows.append({'step': step, f'eval_{score}': value, 'eval_loss': 0.5, 'seconds': seconds})
    path = pathlib.Path(root) / (name or argument.replace(',', '_').replace('=', '-'))
    path.mkdir(parents=True)
    (path / 'config.json').write_text(json.dumps(configs.stored(config)))
    (path / 'metrics.jsonl').write_text(''.join(json.dumps(row) + '\n' for row in rows))
    if finished:
        summary = results.summary(config, rows, '1 x cpu') | (result or {})
        (path / 'result.json').write_text(json.dumps(summary))
    return path


def first_table(text):
    """The first table of a Markdown page: the first cell of a line -> the others; the header's lines too."""
    table = re.search(r'(^\|.*\|$\n?)+', text, re.MULTILINE).group()
    found = [[cell.strip() for cell in line.strip('|').split('|')] for line in table.splitlines()]
    return {first: rest for first, *rest in found}
