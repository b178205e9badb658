"""A training: build or resume, `loop.Loop`, the result."""

import contextlib
import logging
import pathlib
from typing import Any

import jax
import ml_collections
import numpy as np

from resizemix_jax import build, flops
from resizemix_jax.devices import parallel, processes
from resizemix_jax.devices.preemption import Watch, passed_on
from resizemix_jax.errors import local
from resizemix_jax.input import pipeline
from resizemix_jax.loggers import Run
from resizemix_jax.loop import Loop
from resizemix_jax.pictures import pairs
from resizemix_jax.run import delivery, identity, results
from resizemix_jax.run import workdir as workdirs
from resizemix_jax.run.checkpoint import Checkpoints, latest_step
from resizemix_jax.run.recorded import RecordedConfig
from resizemix_jax.run.writers import Writer, log_parameters, shown_log
from resizemix_jax.weights import initial as weights

log = logging.getLogger(__name__)


@shown_log()
@parallel.standard_settings()
def train_and_evaluate(
    config: ml_collections.ConfigDict, workdir: str | pathlib.Path, allow_config_change: bool = False
) -> dict[str, Any]:
    """Trains what `config` describes in `workdir`; the same call continues a run that was stopped.

    Args:
        config: `ml_collections.ConfigDict` of a file in configs/.
        workdir: a directory; a finished run in it is only reported.
        allow_config_change: continue a run although its config or its data was another.

    Returns:
        The content of result.json.

    Raises:
        RunError: see `resizemix_jax.errors`; a wrong config or missing data is reported before training.
    """
    workdir, config = local(workdir, '--workdir'), RecordedConfig(config)
    processes.check_same(config)
    plan = build.plan(config)
    opened = workdirs.open_workdir(workdir, config, allow_config_change)
    if opened.result:  # of which nothing has to be owned: it may be on a disk that is read-only
        log.info('%s holds a finished run; nothing is left to do', workdir)
        return opened.result
    with workdirs.owned(workdir) as owner, passed_on():
        # Again: another process may have owned it until now.
        opened = workdirs.open_workdir(workdir, config, allow_config_change)
        logger = delivery.make(config)
        start = latest_step(workdir)
        initial = None if start else weights.read(config, build.template(plan))
        run = processes.run_on_all(lambda: build.open_run(plan))
        if config.gallery_every:
            processes.run_on_host_0(lambda: _check_pictures(run))
        with Checkpoints(workdir, config.max_to_keep) as checkpoints:
            splits = run.splits
            processes.check_same_data({name: identity.fingerprint(s) for name, s in splits.items()})
            workdirs.check_rows(workdir, start, checkpoints.record(), allow_config_change)
            offset = workdirs.begin(workdir, opened, plan, splits, start, allow_config_change, initial)
            run = build.at_offset(run, offset)
            result = _train(run, workdir, checkpoints, owner, initial, logger)
        workdirs.finish(workdir, result)
    return result


def _train(run, workdir, checkpoints, owner, initial, logger):
    """Trains to the end, from the newest checkpoint if there is one; returns the content of result.json.

    `initial`: `weights.initial.Initial`, what a new run starts from; or None. `logger`: of `delivery.make`.
    """
    plan, config = run.plan, run.plan.config
    _log_run(run)
    count = flops.by_shapes(plan)
    state = build.initial_state(run, initial)
    log_parameters(state.params)
    if checkpoints.latest_step():
        state = checkpoints.restore(state, plan.devices)
        log.info('Resuming at step %d', int(state.step))
    start = int(state.step)
    checkpoints.forget_best_after(start)
    identities = workdirs.identities(workdir)
    begun = Run(identities[-1]['run'], workdir, workdirs.stored(config), identities[-1], start)
    with Writer(workdir, start, run.last, begun, logger) as writer:
        state = state.replace(metrics=_interval(state, writer.rows, plan.devices))
        loop = Loop(run, checkpoints, writer, owner, count)
        loop.compile()
        with (
            Watch(parallel.processes()[1] == 1) as watch,
            contextlib.closing(train_batches(run, start, lambda: watch.signalled)) as batches,
        ):
            state = loop.go(state, batches, watch)
            checkpoints.settle()
            test = loop.test(state, watch)
        largest = max(count.values(), default=None)
        result = results.summary(config, writer.rows, parallel.describe(plan.devices), largest, identities)
        result |= {'evaluated_on': plan.evaluated_on} | test
        writer.conclude(result)
    return result | {'unread_keys': config.unread(), 'rows': writer.sum}


def _check_pictures(run):
    """Raises DataError if no pictures can be drawn of what a run trains on, as they will be during it."""
    pairs.choose_pairs(run.train[run.plan.task.splits[0]], run.plan.config.seed)


def _interval(state, rows, devices):
    """The sums of the log interval that a state is in, whatever the interval was when it was saved.

    At a step that has its row they are zero. Versions before 0.2 did not save the number of their steps.
    """
    count = results.steps_since_row(rows, int(state.step))
    sums = parallel.to_host(state.metrics)
    if not count:
        sums = jax.tree.map(np.zeros_like, sums)
    elif not sums['steps']:
        sums |= {'steps': np.float32(count)}
    return parallel.place(sums, devices)


def train_batches(run, start, interrupted=lambda: False):
    """The batches of the training after `start` steps: this process' share of each.

    Raises:
        Interrupted: `interrupted` was true while a batch was waited for.
    """
    config, share, place = run.plan.config, parallel.processes(), start - run.offset
    waiting = dict(interrupted=interrupted, timeout=config.input_timeout)

    def batches(split):
        made = pipeline.train_batches(
            split, config.batch_size, config.seed, place, run.steps, share, config.workers, **waiting
        )
        return contextlib.closing(made)

    with contextlib.ExitStack() as stack:
        sources = {name: stack.enter_context(batches(split)) for name, split in run.train.items()}
        if len(sources) == 1:
            yield from next(iter(sources.values()))
        else:
            for parts in zip(*sources.values(), strict=True):
                yield dict(zip(sources, parts, strict=True))


def _log_run(run):
    plan, config = run.plan, run.plan.config
    index, count = parallel.processes()
    log.info('JAX process: %d / %d', index, count)
    log.info('Devices: %s', parallel.describe(plan.devices))
    log.info('Config:\n%s', config)
    log.info(
        'Batch: %d = %d a device in %d micro-batches; %d steps an epoch of %d images, %d steps in all',
        config.batch_size, config.batch_size // len(plan.devices), config.micro_batches, run.steps_per_epoch,
        run.train[plan.task.splits[0]].size, run.steps,
    )  # fmt: skip
