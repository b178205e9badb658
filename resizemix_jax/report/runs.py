"""The runs below a directory, as their files tell them; nothing here needs a device or the data."""

import os
import pathlib
import time
from typing import NamedTuple

from resizemix_jax.config import base, migrate, stored
from resizemix_jax.errors import ConfigError, RunError
from resizemix_jax.input.held_out import EVAL, HELD_OUT
from resizemix_jax.key_groups import differences
from resizemix_jax.report import checks, measures
from resizemix_jax.run import files, results, workdir
from resizemix_jax.run.clock import duration
from resizemix_jax.run.evaluations import EVALUATIONS
from resizemix_jax.run.writers import METRICS

# What result.json (beside its scores) and config.json must have for a run to be counted.
RESULT_KEYS = ('config', 'seconds', 'images_per_second', 'device')
CONFIG_KEYS = ('table', 'row', 'column', 'recipe', 'seed', 'epochs', 'steps')
# Folders of a run that hold many files and no run.
INSIDE = {'checkpoints', 'best', 'events', 'gallery', 'generated', 'predictions', 'profile'}


class Run(NamedTuple):
    """A run.

    Attributes:
        path: of its workdir.
        config: as stored, in the current format.
        rows: of metrics.jsonl.
        result: of result.json, or {} while it is not finished.
        written: the time of the last row, in seconds since the epoch, or 0.0.
        evaluated: of a finished run what --mode=evaluate has measured, see `measures.of_run`.
    """

    path: pathlib.Path
    config: dict
    rows: list
    result: dict
    written: float
    evaluated: dict = {}

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
        starts = self.result.get('identity')
        return [one for one in starts if isinstance(one, dict)] if isinstance(starts, list) else []

    @property
    def evaluated_on(self):
        """The split of its evaluations during the training, and on which the best was chosen."""
        return self.result.get('evaluated_on') or (HELD_OUT if self.config['held_out'] else EVAL)

    def reached(self, accuracy):
        """Its score on the test split in %: 'last', 'best' or 'median10'; None without a result that has it.

        The median is not there of a run that was evaluated on a held-out part.
        """
        value = self.measured(f'{self.score}_{accuracy}')
        return None if value is None else 100 * value

    def held_out(self, accuracy):
        """Its score on the held-out part in %, which its evaluations were of; None of other runs."""
        value = self.result.get(f'{self.score}_{accuracy}') if self.evaluated_on == HELD_OUT else None
        return None if value is None else 100 * value

    def measured(self, key):
        """What its result has under NAME_last, NAME_best or NAME_median10, on the test split; or None."""
        return self.result.get(f'{results.TEST if self.evaluated_on == HELD_OUT else ""}{key}')


def find(directory):
    """The runs in `directory` and below, in the order of their paths.

    Returns:
        A list of Runs, and a list of sentences on runs that cannot be shown, whole or in part.
    """
    found, problems = [], []

    def refused(error):
        problems.append(not_shown(error.filename, error.strerror))

    for root, folders, names in os.walk(directory, onerror=refused):
        path = pathlib.Path(root)
        if workdir.CONFIG in (*names, *folders):
            folders[:] = set(folders) - INSIDE
            run, sentences = read(path)
            problems += sentences
            found += [run] if run else []
        elif {workdir.RESULT, METRICS} & set(names):
            problems.append(not_shown(path, f'there is no {workdir.CONFIG}'))
        folders.sort()
    return sorted(found, key=lambda run: run.path), problems


def read(path):
    """The run in a workdir, or None; and a list of sentences on what of it cannot be shown."""
    try:
        config = _config(_json(path / workdir.CONFIG, CONFIG_KEYS))
        score = results.score_of(config)
    except Exception as error:  # a damaged config can name any module, and so raise anything
        return None, [not_shown(path, _reason(error, workdir.CONFIG))]
    result, rows, written, problems = {}, [], 0.0, []
    try:
        result = _result(path / workdir.RESULT, config, score)
    except Exception as error:
        problems.append(f'{path} counts as unfinished: {_reason(error, workdir.RESULT)}')
    try:
        rows, skipped, written = _rows(path / METRICS, score)
        problems += skipped
    except RunError as error:
        problems.append(f'{path} is shown without its metrics: {error}')
    else:
        if result and not results.has_eval(rows, result.get('steps'), f'eval_{score}'):
            problems.append(f'{path}: {METRICS} has no row of the last evaluation, so the curve is not whole')
    evaluated = {}
    if result:
        try:
            evaluated = measures.of_run(_evaluations(path), result.get('steps'))
        except (RunError, AttributeError) as error:
            problems.append(f'{path} is shown without its evaluations: {error}')
    return Run(path, config, rows, result, written, evaluated), problems


def not_shown(path, reason):
    """The sentence on a run that is left out."""
    return f'not shown: {path}: {reason}'


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
        where = ' on the held-out part' if run.evaluated_on == HELD_OUT else ''
        words.append(f'{run.score_title} {100 * scores[-1][1]:.2f} so far{where}')
    return ', '.join([*words, f'last row {duration(round(max(time.time() - run.written, 0)))} ago'])


def _config(content):
    """A stored config in the current format; ConfigError if it cannot be read."""
    config = migrate(content)
    wrong = checks.of_config(config, stored(base()))
    if wrong:
        raise ConfigError(f'{workdir.CONFIG} is damaged: {wrong}')
    return config


def _result(path, config, score):
    """The content of a result.json, or {} without one; ConfigError if it does not fit the run's config."""
    if not os.path.lexists(path):
        return {}
    result = _json(path, (*RESULT_KEYS, f'{score}_last', f'{score}_best'))
    if differences(_config(result['config']), config):
        raise ConfigError(f'{workdir.RESULT} has another config than {workdir.CONFIG}')
    wrong = checks.of_result(result, score)
    if wrong:
        raise ConfigError(f'{workdir.RESULT} is damaged: {wrong}')
    return result


def _rows(path, score):
    """The rows of metrics that can be shown, sentences on the others, and when they were written."""
    if not os.path.lexists(path):
        return [], [], 0.0
    _check_regular(path)
    rows, dropped = files.read_rows(path)
    numbers = sorted(set(range(1, len(rows) + len(dropped) + 1)) - set(dropped))
    good = {k: row for k, row in zip(numbers, rows, strict=True) if checks.of_row(row, score)}
    bad, skipped = sorted({*dropped, *numbers} - good.keys()), []
    if bad:
        words = ', '.join(map(str, bad[:5])) + (', ...' if len(bad) > 5 else '')
        skipped = [f'{path}: {_count(len(bad))} skipped, not a row of metrics: {words}']
    return list(good.values()), skipped, files.modified(path) if good else 0.0


def _evaluations(path):
    """The rows of --mode=evaluate, [] without any."""
    path = path / EVALUATIONS
    if not os.path.lexists(path):
        return []
    _check_regular(path)
    return files.read_rows(path)[0]


def _json(path, keys):
    """The content of a JSON file that has `keys`; ConfigError if there is none."""
    _check_regular(path)
    content = files.read_json(path)
    missing = [key for key in keys if key not in content]
    if missing:
        raise ConfigError(f'{path.name} has no {", ".join(missing)}')
    return content


def _check_regular(path):
    """Raises ConfigError for what cannot be read as a file: a directory, a dangling link, or a pipe."""
    if not path.is_file():
        raise ConfigError(f'{path.name} is not a file')


def _reason(error, name):
    """An error in words."""
    return str(error) if isinstance(error, RunError) else f'{name} is damaged: {type(error).__name__} {error}'


def _count(lines):
    return f'{lines} line{"" if lines == 1 else "s"}'
