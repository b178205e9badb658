"""What a run reached: result.json, out of its rows of metrics."""

import statistics

from resizemix_jax.find import module

# What result.json has, beside NAME_last and NAME_best, and a finished run is known by.
KEYS = ('config', 'seconds', 'images_per_second', 'device')


TEST = 'test_'  # before the names of what was measured on a test split that was kept for the end


def on_test(measured, name):
    """The entries of result.json of what was measured on the test split, of the 'last' or 'best' state."""
    return {f'{TEST}{key}_{name}': value for key, value in measured.items() if key != 'examples'}


def best(rows, score):
    """The highest value of `score` in the rows, or -1.0 if there was no evaluation."""
    return max((row[score] for row in rows if score in row), default=-1.0)


def has_eval(rows, step, score):
    """Whether the evaluation at `step` is among the rows."""
    return any(row['step'] == step and score in row for row in rows)


def steps_since_row(rows, step):
    """The number of steps up to `step` after the last row of training metrics."""
    return step - max((row['step'] for row in rows if 'train_learning_rate' in row), default=0)


def elapsed(rows):
    """The seconds that the run had taken by the last row, over all its sessions."""
    return max((row['seconds'] for row in rows if 'seconds' in row), default=0.0)


def compiled(rows):
    """The seconds of compilation in `elapsed`, as far as they were recorded: not before 0.2."""
    return max((row['compile_seconds'] for row in rows if 'compile_seconds' in row), default=0.0)


def summary(config, rows, device, flops=None, identity=()):
    """The content of result.json.

    NAME_last is the last evaluation's value of every metric. Of the task's score there are also SCORE_best
    and, from 10 evaluations on, SCORE_median10, the median of the last 10. `score` says which metric it is.
    All of these are of the split that the training was evaluated on, `evaluated_on`. Where that is a held-out
    part, the loop adds test_NAME_last and test_NAME_best of the test split, see `on_test`.
    `seconds` is everything; `compile_seconds` of it is compilation, and absent where a part of the run did
    not record it.

    Args:
        config: of the run.
        rows: of metrics.jsonl, with at least one evaluation.
        device: in words.
        flops: that a training step of all devices needs, or None.
        identity: the rows of identity.jsonl, the latest last.
    """
    name = score_of(config)
    evals = [row for row in rows if f'eval_{name}' in row]
    scores = [row[f'eval_{name}'] for row in evals]
    rates = [row['images_per_second'] for row in rows if 'images_per_second' in row]
    last = {k.removeprefix('eval_'): v for k, v in evals[-1].items() if k.startswith('eval_')}
    result = {
        'config': config.to_dict(),
        'table': config.table,
        'row': config.row,
        'column': config.column,
        'recipe': config.recipe,
        'scale': config.scale,
        'seed': config.seed,
        'steps': evals[-1]['step'],
        'score': name,
        **{f'{k}_last': v for k, v in last.items() if k != 'examples'},
        f'{name}_best': max(scores),
        'seconds': elapsed(rows),
        'images_per_second': statistics.median(rates) if rates else 0.0,
        'device': device,
        'flops_per_step': flops,
        'identity': list(identity),
    }
    used = [row['model_flops_utilization'] for row in rows if 'model_flops_utilization' in row]
    if used:
        result['model_flops_utilization'] = statistics.median(used)
    if all('compile_seconds' in row for row in rows if 'seconds' in row):
        result['compile_seconds'] = compiled(rows)
    if len(scores) >= 10:
        result[f'{name}_median10'] = statistics.median(scores[-10:])
    return result


def score_of(config):
    """The name of the main measure of a config's task."""
    return _task(config).SCORE


def score_title(config):
    """That measure in words: SCORE_TITLE of the task's module, or else its name."""
    return getattr(_task(config), 'SCORE_TITLE', score_of(config))


def _task(config):
    return module('tasks', config['task'])
