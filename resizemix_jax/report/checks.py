"""Whether the files of a run hold what a report can show. A damaged value is named, and never shown."""

import math

from resizemix_jax.input.held_out import EVAL, HELD_OUT
from resizemix_jax.ranges import SHARE, Number
from resizemix_jax.run.results import TEST

LARGEST = 1e15  # of a number that a plot can have on its axes
WORDS = {
    str: 'a text', int: 'a whole number', float: 'a number', bool: 'true or false', list: 'a list',
    dict: 'an object',
}  # fmt: skip
# The keys of a row of metrics that are shown, beside its step and its evaluation.
MEASURED = ('epoch', 'seconds', 'compile_seconds', 'images_per_second')


def of_config(config, defaults):
    """Why a config in the current format cannot be that of a run: a sentence, or ''.

    Args:
        config: dict.
        defaults: `config.base`, as stored: every value has the type of its default.
    """
    for key, default in defaults.items():
        if not _is(config[key], type(default)):
            return f'{key}={config[key]!r} must be {WORDS[type(default)]}'
    for key in ('epochs', 'steps', 'batch_size'):
        if not 0 <= config[key] < LARGEST:
            return f'{key}={config[key]} is out of range'
    if not 0 <= config['held_out'] < 1:
        return f'held_out={config["held_out"]} is out of range'
    if not (config['steps'] or config['epochs']) or not config['batch_size']:
        return 'steps and epochs are 0, or batch_size is'
    return ''


def of_result(result, score):
    """Why the content of a result.json cannot be shown: a sentence, or ''.

    Args:
        result: dict.
        score: the name of the task's main measure.
    """
    for key in ('seconds', 'images_per_second'):
        if not measured(result[key]):
            return f'{key}={result[key]!r} must be a number >= 0'
    for key in ('compile_seconds', 'flops_per_step', 'model_flops_utilization'):
        if result.get(key) is not None and not measured(result[key]):
            return f'{key}={result[key]!r} must be a number >= 0'
    if (result.get('compile_seconds') or 0) > result['seconds']:
        return 'compile_seconds is more than seconds'
    names = [f'{part}{score}_{key}' for part in ('', TEST) for key in ('last', 'best', 'median10')]
    for name in names:
        if not share(result.get(name, 0)):
            return f'{name}={result[name]!r} must be a number in [0, 1]'
    if result.get('evaluated_on', EVAL) not in (EVAL, HELD_OUT):
        return f'evaluated_on={result["evaluated_on"]!r} must be {EVAL} or {HELD_OUT}'
    if not isinstance(result['device'], str):
        return f'device={result["device"]!r} must be a text'
    return ''


def of_row(row, score):
    """Whether a row of metrics can be shown.

    Args:
        row: dict with `step`.
        score: as in `of_result`.
    """
    known = (row.get(key, 0) for key in ('step', *MEASURED))
    return all(map(measured, known)) and share(row.get(f'eval_{score}', 0))


def measured(value):
    """Whether a value is a number >= 0 that can stand on an axis."""
    return Number(0, LARGEST, '[)').has(value)


def share(value):
    """Whether a value is a number in [0, 1]."""
    return SHARE.has(value)


def _is(value, kind):
    """Whether a value of JSON has the type of a default; a whole number is a number, NaN is not."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind)
