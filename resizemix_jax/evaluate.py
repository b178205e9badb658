"""Evaluation: every example of a split, once, on any number of devices."""

import contextlib
import logging
from typing import NamedTuple

import numpy as np

from resizemix_jax import build, perturbations, predictions, robustness
from resizemix_jax.devices import parallel, processes
from resizemix_jax.errors import ConfigError, RunError, local
from resizemix_jax.input import pipeline
from resizemix_jax.input.held_out import EVAL, HELD_OUT
from resizemix_jax.input.workers import Interrupted
from resizemix_jax.run import evaluations, files, identity
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
    counted = count(eval_step, plan, state, split, interrupted, signalled)
    return counted and (summarise(plan, *counted, split), counted[0])


def summarise(plan, totals, rows, split):
    """The metrics of a whole split from what `count` gives; name -> number, without a prefix.

    Raises:
        RunError: the task's score is not in [0, 1].
    """
    measured = plan.task.summarise(totals, rows, split)
    score = plan.task.score
    if not 0 <= measured.get(score, -1) <= 1:
        raise RunError(f'task={plan.config.task!r} must measure {score!r} in [0, 1], not {measured}')
    return {'examples': split.size} | measured


def count(eval_step, plan, state, split, interrupted=lambda: False, signalled=lambda: False):
    """The sums and the rows of `state` on a split; arguments as `evaluate`.

    Returns:
        (sums, rows): name -> float, and name -> array [size, ...] in the order of the split; or None if
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
    return totals, in_order(parts, split.size)


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


class Asked(NamedTuple):
    """What --mode=evaluate is asked for, besides the task's own measures.

    Attributes:
        predictions: the files and the values of `predictions`.
        logits: keep the logits in those files.
        robustness: of `perturbations.choose`.
    """

    predictions: bool = False
    logits: bool = False
    robustness: tuple = ()


PLAIN = Asked()


def evaluate_checkpoint(config, workdir, split=EVAL, asked=PLAIN):
    """Evaluates the newest and the best checkpoint of a run, on the data that `config` names.

    The result is logged, and appended to the run's evaluations.jsonl with what was evaluated. The run may be
    training meanwhile.

    Args:
        config: ConfigDict; what it says of the network must be what the run says.
        workdir: of the run.
        split: the dataset's.
        asked: see `Asked`.

    Returns:
        name -> number; the names begin with `last_` and `best_`.

    Raises:
        ConfigError: a wrong config or split, or a workdir without a checkpoint.
        DataError: missing data, or a checkpoint that is damaged or of another network.
    """
    workdir = local(workdir, '--workdir')
    processes.check_same(config)
    chosen = perturbations.choose(asked.robustness)
    plan = build.plan(config)
    evaluations.check_split(plan, split)
    robustness.check(plan, chosen)
    if asked.predictions:
        predictions.check(plan)
    with Checkpoints(workdir) as checkpoints:
        if not checkpoints.latest_step():
            raise ConfigError(f'{workdir} has no checkpoint to evaluate; train first with --mode=train')
        changes = evaluations.changes(workdir, config)
        data = _opened(plan, split)
        evaluations.check_classes(workdir, data)
        evaluations.check_held_out(workdir, split, data)
        held_out = _prepared(plan, workdir, split) if asked.predictions else None
        measure = _Measure(plan, build.eval_step(plan, asked.predictions), data, held_out, chosen)
        template, known, values = build.template(plan), {}, {}
        for name, restore in (('last', checkpoints.restore), ('best', checkpoints.restore_best)):
            if name == 'best' and not checkpoints.best_step():
                continue
            state = restore(template, plan.devices)
            at = int(state.step)
            if at not in known:  # the newest is often the best
                known = {at: measure(state)}
            measured, rows = known[at]
            if asked.predictions:
                file = name if split == EVAL else f'{name}_{split}'
                _write(workdir, file, rows, plan, data, measured, asked.logits)
            values.update({f'{name}_{key}': value for key, value in measured.items()})
    shown = robustness.without(values, chosen)
    log.info('%s', ', '.join(f'{key}={value:.5g}' for key, value in shown.items()))
    evaluations.add(workdir, plan, data, changes, values, split)
    return values


class _Measure:
    """Measures networks on a split: (state) -> (name -> number, the rows of the split).

    Args:
        plan: `build.Plan`.
        step: `build.eval_step`; where it predicts, the predictions are measured, too.
        split: `input.dataset.Split`.
        held_out: a Split to fit a temperature on, or None.
        chosen: Perturbations.
    """

    def __init__(self, plan, step, split, held_out, chosen):
        self._plan, self._step, self._split = plan, step, split
        self._held_out, self._chosen = held_out, chosen
        self._perturbed = robustness.make_step(plan, chosen) if chosen else None

    def __call__(self, state):
        totals, rows = count(self._step, self._plan, state, self._split)
        measured = {'step': int(state.step)} | summarise(self._plan, totals, rows, self._split)
        if 'logits' in rows:
            fitted = None
            if self._held_out:
                fitted = predictions.fit(count(self._step, self._plan, state, self._held_out)[1])
            measured |= predictions.measure(rows, fitted)
        if self._perturbed:
            log.info('Evaluating under: %s', ', '.join(one.name for one in self._chosen))
            counted = count(self._perturbed, self._plan, state, self._split)
            measured |= _robust(self._plan, self._chosen, counted, self._split)
        return measured, rows


def _opened(plan, name):
    """A split of the data, which is the same on all hosts."""
    split = processes.run_on_all(lambda: plan.dataset.read(name, plan.config.data_dir))
    processes.check_same_data({name: identity.fingerprint(split)})
    return split


def _prepared(plan, workdir, split):
    """The split to fit a temperature on, or None, which is logged; the folder of predictions is made."""
    processes.run_on_host_0(lambda: files.make_directory(workdir / predictions.FOLDER))
    try:
        if split == HELD_OUT:
            raise ConfigError(f'the evaluation is of {HELD_OUT} itself')
        evaluations.check_split(plan, HELD_OUT)
        held_out = _opened(plan, HELD_OUT)
        evaluations.check_held_out(workdir, HELD_OUT, held_out)
    except ConfigError as error:
        log.warning('No temperature is fitted, since that needs examples of its own: %s', error)
        return None
    return held_out


def _robust(plan, chosen, counted, split):
    """The score of every condition, and their mean where there are all corruptions: name -> number."""
    score = plan.task.score
    values = {
        f'{name}_{score}': summarise(plan, *robustness.of_condition(name, *counted), split)[score]
        for one in chosen
        for name in one.strengths
    }
    mean = robustness.mean(values, score)
    return values if mean is None else values | {f'{perturbations.CORRUPTIONS}_{score}': mean}


def _write(workdir, name, rows, plan, split, values, logits):
    about = {'dataset': plan.config.dataset, 'data': identity.fingerprint(split)}

    def write():
        predictions.write(workdir, name, rows, values, about, split.names, logits)

    processes.run_on_host_0(write)


def _add(totals, parts, outputs):
    if outputs is None:
        return
    sums, rows = parallel.to_host(outputs)
    for name, value in sums.items():
        # float64 on the host: exact counts, whatever their size
        totals[name] = totals.get(name, 0.0) + float(value)
    if rows:
        parts.append(rows)
