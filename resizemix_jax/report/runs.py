"""The runs below a directory, as their files tell them; nothing here needs a device or the data."""

import os
import pathlib
import time
from typing import NamedTuple

from resizemix_jax.config import differences
from resizemix_jax.errors import ConfigError
from resizemix_jax.run import workdir, writers

METRICS = 'metrics.jsonl'
# What result.json and config.json must have for a run to be counted.
RESULT_KEYS = ('config', 'top1_last', 'top1_best', 'top1_median10', 'seconds', 'images_per_second', 'device')
CONFIG_KEYS = ('table', 'row', 'column', 'recipe', 'seed', 'epochs', 'steps')
# Folders of a run that hold many files and no run.
INSIDE = {'checkpoints', 'best', 'events', 'gallery'}
UNITS = (('h', 3600), ('min', 60))


class Run(NamedTuple):
    """A run.

    Attributes:
        path: of its workdir.
        config: resolved, with its table, row, column, recipe and seed.
        rows: of metrics.jsonl.
        result: of result.json, or {} while it is not finished.
        written: the time of the last row, in seconds since the epoch, or 0.0.
    """

    path: pathlib.Path
    config: dict
    rows: list
    result: dict
    written: float

    @property
    def cell(self):
        """What names it within its table."""
        return self.config['row'], self.config['column']


def find(directory):
    """The runs in `directory` and below, in the order of their paths.

    Returns:
        A list of Runs, and a list of sentences on files that could not be used.
    """
    found, problems = [], []
    for root, folders, files in os.walk(directory):
        folders[:] = sorted(set(folders) - INSIDE)
        if workdir.CONFIG in files:
            run, sentences = read(pathlib.Path(root))
            problems += sentences
            found += [run] if run else []
    return sorted(found, key=lambda run: run.path), problems


def read(path):
    """The run in a workdir, or None; and a list of sentences on what of it could not be used."""
    config, problems = _read(path / workdir.CONFIG, CONFIG_KEYS)
    if not config:
        return None, problems
    result, more = _read(path / workdir.RESULT, RESULT_KEYS)
    if result and differences(result['config'], config):
        result = {}
        more.append(f'{path / workdir.RESULT} is of another config than config.json: counted as unfinished')
    rows, dropped = writers.sort_rows(path / METRICS)
    if dropped:
        lines = ', '.join(map(str, dropped[:5])) + (', ...' if len(dropped) > 5 else '')
        more.append(f'{path / METRICS}: {_count(len(dropped))} skipped, no row of metrics: {lines}')
    written = (path / METRICS).stat().st_mtime if rows else 0.0
    return Run(path, config, rows, result, written), problems + more


def progress(run):
    """How far an unfinished run is, as a share of 1: of its steps, or of its epochs."""
    step = max((row['step'] for row in run.rows), default=0)
    if run.config['steps']:
        return min(step / run.config['steps'], 1.0)
    return min(epoch_of(run.rows)(step) / run.config['epochs'], 1.0)


def epoch_of(rows):
    """The function from a step to its epoch; 0 as long as no row says how many steps make one."""
    for row in reversed(rows):
        if row.get('epoch') and row['step']:
            return lambda step: step * row['epoch'] / row['step']
    return lambda step: 0.0


def evaluations(run):
    """The evaluations so far: a list of (step, top-1 as a share of 1)."""
    return [(row['step'], row['eval_top1']) for row in run.rows if 'eval_top1' in row]


def status(run):
    """How far an unfinished run is, in words."""
    if not run.rows:
        return 'no metrics yet'
    step = max(row['step'] for row in run.rows)
    words = [f'{progress(run):.0%}, step {step}']
    reached = evaluations(run)
    if reached:
        words.append(f'top-1 {100 * reached[-1][1]:.2f} so far')
    return ', '.join([*words, f'last row {duration(round(max(time.time() - run.written, 0)))} ago'])


def unit(seconds):
    """The unit to say a time in: its name, and its seconds."""
    return next(((name, size) for name, size in UNITS if seconds >= 2 * size), ('s', 1))


def duration(seconds):
    """A time in words."""
    name, size = unit(seconds)
    return f'{seconds / size:.3g} {name}'


def _read(path, keys):
    """The content of a JSON file that has `keys`, or {}; and a list of at most one sentence."""
    if not path.exists():
        return {}, []
    try:
        content = workdir.read_json(path)
    except (ConfigError, UnicodeDecodeError):
        return {}, [f'{path} is not JSON and is left out']
    missing = [key for key in keys if key not in content] if isinstance(content, dict) else list(keys)
    if missing:
        return {}, [f'{path} has no {", ".join(missing)} and is left out']
    return content, []


def _count(lines):
    return f'{lines} line{"" if lines == 1 else "s"}'
