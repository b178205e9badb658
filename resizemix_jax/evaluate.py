"""Evaluation: every example of a split, once, on any number of devices."""

import contextlib
import logging
import pathlib

from resizemix_jax import build
from resizemix_jax.devices import parallel, processes
from resizemix_jax.errors import ConfigError, RunError
from resizemix_jax.input import pipeline
from resizemix_jax.run.checkpoint import Checkpoints

log = logging.getLogger(__name__)


def evaluate(eval_step, plan, state, split, interrupted=lambda: False):
    """The metrics of `state` on a split.

    Args:
        eval_step: of `build.eval_step`.
        plan: `build.Plan`.
        state: `state.TrainState` on the devices.
        split: `data.dataset.Split`.
        interrupted: asked before every batch; True ends the evaluation.

    Returns:
        name -> number, without a prefix, or None if interrupted.
    """
    totals, ahead = {}, None
    share, workers = parallel.processes(), plan.config.workers
    with contextlib.closing(pipeline.eval_batches(split, plan.eval_batch_size, share, workers)) as batches:
        for batch in batches:
            if interrupted():
                return None
            running = eval_step(state, parallel.shard(batch, plan.devices))
            # One batch runs while the sums of the one before are fetched; no more pile up on the device.
            _add(totals, ahead)
            ahead = running
    _add(totals, ahead)
    measured = plan.task.summarise(totals)
    if measured['examples'] != split.size:
        raise RunError(f'{measured["examples"]} of {split.size} examples were counted')
    return measured


def evaluate_checkpoint(config, workdir):
    """Evaluates the newest and the best checkpoint of a workdir; returns name -> number and logs them."""
    processes.check_same(config)
    plan = build.plan(config)
    if not any(pathlib.Path(workdir).glob('checkpoints/[0-9]*')):
        raise ConfigError(f'{workdir} has no checkpoint to evaluate; train first with --mode=train')
    split = processes.together(lambda: plan.dataset.read('eval', config.data_dir))
    template = build.template(plan)
    step = build.eval_step(plan)
    with Checkpoints(workdir) as checkpoints:
        values = {}
        for name, restore in (('last', checkpoints.restore), ('best', checkpoints.restore_best)):
            if name == 'best' and not checkpoints.best_step():
                continue
            state = restore(template, plan.devices)
            measured = evaluate(step, plan, state, split)
            values[f'{name}_step'] = int(state.step)
            values.update({f'{name}_{key}': value for key, value in measured.items()})
    log.info('%s', ', '.join(f'{key}={value:.5g}' for key, value in values.items()))
    return values


def _add(totals, sums):
    for name, value in parallel.to_host(sums or {}).items():
        # float64 on the host: exact counts, whatever their size
        totals[name] = totals.get(name, 0.0) + float(value)
