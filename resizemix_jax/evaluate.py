"""Evaluation: every example of a split, once, on any number of devices."""

import contextlib
import logging

import numpy as np

from resizemix_jax import build
from resizemix_jax.devices import parallel, processes
from resizemix_jax.errors import ConfigError, RunError, local
from resizemix_jax.input import pipeline
from resizemix_jax.input.workers import Interrupted
from resizemix_jax.run import evaluations, identity
from resizemix_jax.run.checkpoint import Checkpoints

log = logging.getLogger(__name__)


def evaluate(eval_step, plan, state, split, interrupted=lambda: False, signalled=lambda: False):
    """The metrics of `state` on a split.

    Args:
        eval_step: of `build.Run`.
        plan: `build.Plan`.
        state: `state.TrainState` on the devices.
        split: `input.dataset.Split`.
        interrupted: called before every batch; True ends the evaluation.
        signalled: the same while a batch is waited for, as often as that takes.

    Returns:
        (metrics, sums): name -> number, without a prefix, and the task's sums, name -> float; or None if
        interrupted.

    Raises:
        RunError: an example was not counted exactly once.
    """
    totals, parts, previous = {}, [], None
    share, workers = parallel.processes(), plan.config.workers
    waiting = dict(interrupted=signalled, timeout=plan.config.input_timeout)
    try:
        with contextlib.closing(
            pipeline.eval_batches(split, plan.eval_batch_size, share, workers, **waiting)
        ) as batches:
            for batch in batches:
                if interrupted():
                    return None
                running = eval_step(state, parallel.shard(batch, plan.devices))
                # One batch runs while the sums of the one before are fetched; no more pile up on the device.
                _add(totals, parts, previous)
                previous = running
    except Interrupted:
        return None
    _add(totals, parts, previous)
    if totals['examples'] != split.size:
        raise RunError(f'{totals["examples"]:.0f} of {split.size} examples were counted')
    measured = plan.task.summarise(totals, in_order(parts, split.size), split)
    score = plan.task.score
    if not 0 <= measured.get(score, -1) <= 1:
        raise RunError(f'task={plan.config.task!r} must measure {score!r} in [0, 1], not {measured}')
    return {'examples': split.size} | measured, totals


def in_order(parts, size):
    """The rows of a whole evaluation in the order of its split.

    Args:
        parts: the rows of each batch: name -> array [B, ...], with 'row' int32 [B] and 'valid' [B].
        size: of the split.

    Returns:
        name -> array [size, ...]; {} without parts.

    Raises:
        RunError: a row is missing, or there twice.
    """
    if not parts:
        return {}
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    valid = whole.pop('valid') > 0
    rows = whole.pop('row')[valid]
    if not np.array_equal(np.sort(rows), np.arange(size)):
        raise RunError(f'{len(np.unique(rows))} of {size} rows were evaluated, {len(rows)} in all')
    order = np.argsort(rows)
    return {name: array[valid][order] for name, array in whole.items()}


def evaluate_checkpoint(config, workdir, split='eval'):
    """Evaluates the newest and the best checkpoint of a run, on the data that `config` names.

    The result is logged, and appended to the run's evaluations.jsonl with what was evaluated. The run may be
    training meanwhile.

    Args:
        config: ConfigDict; what it says of the network must be what the run says.
        workdir: of the run.
        split: the dataset's.

    Returns:
        name -> number; the names begin with `last_` and `best_`.

    Raises:
        ConfigError: a wrong config or split, or a workdir without a checkpoint.
        DataError: missing data, or a checkpoint that is damaged or of another network.
    """
    workdir = local(workdir, '--workdir')
    processes.check_same(config)
    plan = build.plan(config)
    evaluations.check_split(plan, split)
    with Checkpoints(workdir) as checkpoints:
        if not checkpoints.latest_step():
            raise ConfigError(f'{workdir} has no checkpoint to evaluate; train first with --mode=train')
        changes = evaluations.changes(workdir, config)
        data = processes.run_on_all(lambda: plan.dataset.read(split, config.data_dir))
        processes.check_same_data({split: identity.fingerprint(data)})
        evaluations.check_classes(workdir, data)
        evaluations.check_held_out(workdir, split, data)
        template = build.template(plan)
        step = build.unopened_run(plan).eval_step
        values = {}
        for name, restore in (('last', checkpoints.restore), ('best', checkpoints.restore_best)):
            if name == 'best' and not checkpoints.best_step():
                continue
            state = restore(template, plan.devices)
            measured, _ = evaluate(step, plan, state, data)
            values[f'{name}_step'] = int(state.step)
            values.update({f'{name}_{key}': value for key, value in measured.items()})
    log.info('%s', ', '.join(f'{key}={value:.5g}' for key, value in values.items()))
    evaluations.add(workdir, plan, data, changes, values, split)
    return values


def _add(totals, parts, outputs):
    if outputs is None:
        return
    sums, rows = parallel.to_host(outputs)
    for name, value in sums.items():
        # float64 on the host: exact counts, whatever their size
        totals[name] = totals.get(name, 0.0) + float(value)
    if rows:
        parts.append(rows)
