"""What a run reached: result.json, out of its rows of metrics."""

import statistics
import sys

from resizemix_jax.find import find


def best(rows, score):
    """The highest value of `score` in the rows, or -1.0 if there was no evaluation."""
    return max((row[score] for row in rows if score in row), default=-1.0)


def has_eval(rows, step, score):
    """Whether the evaluation at `step` is among the rows."""
    return any(row['step'] == step and score in row for row in rows)


def elapsed(rows):
    """The seconds that the run had taken by the last row, over all its sessions."""
    return max((row['seconds'] for row in rows if 'seconds' in row), default=0.0)


def summary(config, rows, device):
    """The content of result.json.

    Which accuracy: `top1_last`, `top1_best` and `top1_median10` (the median of the last 10 evaluations)
    are all shares of 1 on the evaluation split.

    Args:
        config: of the run.
        rows: of metrics.jsonl, with at least one evaluation.
        device: in words.
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
    }
    if len(scores) >= 10:
        result[f'{name}_median10'] = statistics.median(scores[-10:])
    return result


def score_of(config):
    """The name of the main measure of a config's task, e.g. 'top1'."""
    return sys.modules[find('tasks', config['task']).__module__].SCORE
