"""The runs below a directory, as their files tell them; nothing here needs a device or the data."""

import os
import pathlib
import time
from typing import NamedTuple

from resizemix_jax.config import differences, migrate
from resizemix_jax.errors import ConfigError, RunError
from resizemix_jax.run import files, results, workdir
from resizemix_jax.run.writers import METRICS

# What result.json (beside its scores) and config.json must have for a run to be counted.
RESULT_KEYS = ('config', 'seconds', 'images_per_second', 'device')
CONFIG_KEYS = ('table', 'row', 'column', 'recipe', 'seed', 'epochs', 'steps')
# Folders of a run that hold many files and no run.
INSIDE = {'checkpoints', 'best', 'events', 'gallery', 'generated', 'profile'}
UNITS = (('h', 3600), ('min', 60))


class Run(NamedTuple):
    """A run.

    Attributes:
        path: of its workdir.
        config: as stored, in the current format.
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
        """Its row and column in its table."""
        return self.config['row'], self.config['column']

    @property
    def seed(self):
        return self.config['seed']

    @property
    def score(self):
        """The name of its task's main measure."""
        return results.score_of(self.config)

    @property
    def score_title(self):
        """That measure in words."""
        return results.score_title(self.config)

    @property
    def identity(self):
        """What it was made with: a dict for each start; none of an older version, or before the run's end."""
        return [one for one in self.result.get('identity') or () if isinstance(one, dict)]

    def reached(self, accuracy):
        """Its score in %: 'last', 'best' or 'median10'; None without a result that has it."""
        value = self.result.get(f'{self.score}_{accuracy}')
        return None if value is None else 100 * value


def find(directory):
    """The runs in `directory` and below, in the order of their paths.

    Returns:
        A list of Runs, and a list of sentences on files that could not be used.
    """
    found, problems = [], []
    for root, folders, names in os.walk(directory):
        folders[:] = sorted(set(folders) - INSIDE)
        if workdir.CONFIG in names:
            run, sentences = read(pathlib.Path(root))
            problems += sentences
            found += [run] if run else []
    return sorted(found, key=lambda run: run.path), problems


def read(path):
    """The run in a workdir, or None; and a list of sentences on what of it could not be used."""
    stored, problems = _read(path / workdir.CONFIG, CONFIG_KEYS)
    if not stored:
        return None, problems
    try:
        config = _migrated(stored)
        score = results.score_of(config)
    except ValueError as error:
        return None, [f'{path / workdir.CONFIG} is left out: {error}']
    result, more = _result(path / workdir.RESULT, config, score)
    rows, dropped = files.read_rows(path / METRICS)
    if dropped:
        lines = ', '.join(map(str, dropped[:5])) + (', ...' if len(dropped) > 5 else '')
        more.append(f'{path / METRICS}: {_count(len(dropped))} skipped, not a row of metrics: {lines}')
    written = files.modified(path / METRICS) if rows else 0.0
    return Run(path, config, rows, result, written), problems + more


def progress(run):
    """How far an unfinished run is, as a share of 1: of its steps, or of its epochs."""
    step = max((row['step'] for row in run.rows), default=0)
    if run.config['steps']:
        return min(step / run.config['steps'], 1.0)
    return min(epoch_of(run.rows)(step) / run.config['epochs'], 1.0)


def epoch_of(rows):
    """The function from a step to its epoch; 0 as long as no row says how many steps make one.

    Linear between rows: the steps of an epoch change with the batch size.
    """
    rows = (row for row in rows if row.get('epoch') and row['step'])
    known = sorted({0: 0.0, **{row['step']: row['epoch'] for row in rows}}.items())

    def epoch(step):
        after = next((k for k, (other, _) in enumerate(known) if k and other >= step), len(known) - 1)
        if not after:
            return 0.0
        (before, start), (last, end) = known[after - 1], known[after]
        return end + (step - last) * (end - start) / (last - before)

    return epoch


def evaluations(run):
    """The evaluations so far: a list of (step, score as a share of 1)."""
    key = f'eval_{run.score}'
    return [(row['step'], row[key]) for row in run.rows if key in row]


def status(run):
    """How far an unfinished run is, in words."""
    if not run.rows:
        return 'no metrics yet'
    step = max(row['step'] for row in run.rows)
    words = [f'{progress(run):.0%}, step {step}']
    scores = evaluations(run)
    if scores:
        words.append(f'{run.score_title} {100 * scores[-1][1]:.2f} so far')
    return ', '.join([*words, f'last row {duration(round(max(time.time() - run.written, 0)))} ago'])


def unit(seconds):
    """The unit to give a time in: its name, and its seconds."""
    return next(((name, size) for name, size in UNITS if seconds >= 2 * size), ('s', 1))


def duration(seconds):
    """A time in words."""
    name, size = unit(seconds)
    return f'{seconds / size:.3g} {name}'


def _migrated(stored):
    """A stored config in the current format; ConfigError if it cannot be read."""
    try:
        return migrate(stored)
    except (TypeError, AttributeError) as error:  # a value of a wrong type, e.g. a name that is null
        raise ConfigError(f'it is damaged: {error}') from error


def _result(path, config, score):
    """The content of a result.json that fits the run's config, or {}; and sentences on why it does not."""
    result, problems = _read(path, (*RESULT_KEYS, f'{score}_last', f'{score}_best'))
    if not result:
        return {}, problems
    try:
        same = not differences(_migrated(result['config']), config)
    except ConfigError as error:
        return {}, [f'{path} is left out: {error}']
    if not same:
        return {}, [f'{path} has another config than config.json: the run counts as unfinished']
    return result, problems


def _read(path, keys):
    """The content of a JSON file that has `keys`, or {}; and a list of at most one sentence."""
    if not path.exists():
        return {}, []
    try:
        content = files.read_json(path)
    except RunError as error:
        return {}, [f'left out: {error}']
    missing = [key for key in keys if key not in content]
    if missing:
        return {}, [f'{path} has no {", ".join(missing)} and is left out']
    return content, []


def _count(lines):
    return f'{lines} line{"" if lines == 1 else "s"}'
