"""The floating-point operations of a training step."""

import logging

import jax

from resizemix_jax import build
from resizemix_jax.devices import peak, processes
from resizemix_jax.find import bind

log = logging.getLogger(__name__)


def of_share(step):
    """The operations of one device's share of a step, one number for every bucket.

    As XLA counts them before it optimises: the body of a loop is counted once, whatever its turns. Counted as
    lowered for a CPU, since the accelerators' plugins count none. The step is traced and not compiled.

    Args:
        step: a `parallel.Step`.

    Raises:
        RuntimeError: JAX_PLATFORMS leaves out the CPU.
    """
    return [float(step.lower_share(batch).cost_analysis()['flops']) for batch in step.batches]


def of_model(plan):
    """The operations that a step of all devices needs, one number for every bucket: what utilisation counts.

    As `of_share`, but nothing that is computed again to save memory counts, and all micro-batches do.
    """
    config = plan.config.copy_and_resolve_references()
    with config.unlocked():
        config.update(micro_batches=1, remat=False)
    task = bind('tasks', config.task, config.task_args)(config, plan.dataset)
    step = build.unopened_run(plan._replace(config=config, task=task)).train_step
    return [len(plan.devices) * flops for flops in of_share(step)]


def by_shapes(plan):
    """The FLOP of a step of all devices by the shapes of its batch, logged; {} if they cannot be counted."""

    def count():
        try:
            return of_model(plan)
        except RuntimeError as error:  # JAX_PLATFORMS leaves out the CPU
            log.info('The FLOP of a step are not counted: %s', error)
            return []

    counts = processes.run_on_host_0(count)
    if not counts:
        return {}
    known = peak.of_all(plan.devices, plan.config.dtype)
    of_peak = f'; the devices can do {known:.3g} a second' if known else ''
    log.info('FLOP of a step: %s%s', ' or '.join(f'{count:.4g}' for count in counts), of_peak)
    return {shapes(batch): count for batch, count in zip(build.train_batches(plan), counts, strict=True)}


def shapes(batch):
    """The shapes of a batch without its first axis: the same for the whole batch and a process' share."""
    return tuple(array.shape[1:] for array in jax.tree.leaves(batch))
