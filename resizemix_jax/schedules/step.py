"""A linear warm-up in steps, then a constant learning rate that is multiplied by a factor at given epochs."""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import Array

from resizemix_jax.ranges import NOT_NEGATIVE, POSITIVE, Number, Several, Whole
from resizemix_jax.schedules._warmup import warm_up


def step(
    steps: int,
    steps_per_epoch: int,
    *,
    lr: float = 0.1,
    decay_epochs: Sequence[float] = (30, 60, 80),
    factor: float = 0.1,
    warmup_steps: int = 0,
    warmup_lr: float = 1e-5,
) -> Callable[[int | Array], Array]:
    """torch's MultiStepLR after a warm-up, as detectors are trained; one value for every step.

    Law, with n the number of decay epochs e with e * steps_per_epoch <= step, rounded to whole steps:
        step < warmup_steps:  warmup_lr + (lr - warmup_lr) * step / warmup_steps
        otherwise:            lr * factor ** n

    Args:
        steps, steps_per_epoch: see `resizemix_jax.schedules`.
        lr: the peak, > 0.
        decay_epochs: ascending, > 0, fractions allowed, not within the warm-up; () for a constant rate. Those
            after the end of the run have no effect.
        factor: in (0, 1].
        warmup_steps: >= 0, fewer than `steps`.
        warmup_lr: where the warm-up starts, >= 0.

    Returns:
        step (int or int32 []) -> float32 [].

    Raises:
        ValueError: a value out of range.
    """
    POSITIVE.check('schedule_args.', lr=lr)
    Number(0, 1, '(]').check('schedule_args.', factor=factor)
    Whole(0).check('schedule_args.', warmup_steps=warmup_steps)
    Several(NOT_NEGATIVE).check('schedule_args.', decay_epochs=decay_epochs)
    boundaries = [round(epoch * steps_per_epoch) for epoch in decay_epochs]
    if any(late <= early for early, late in zip([0, *boundaries], boundaries, strict=False)):
        raise ValueError(f'schedule_args.decay_epochs={decay_epochs} must be > 0 and ascending')
    if boundaries and boundaries[0] < warmup_steps:
        raise ValueError(
            f'schedule_args.decay_epochs={decay_epochs}: the first is step {boundaries[0]}, within the '
            f'warm-up of schedule_args.warmup_steps={warmup_steps}'
        )
    rates = [lr * factor**n for n in range(len(boundaries) + 1)]

    def falling(step):
        passed = jnp.sum(step >= jnp.array(boundaries, jnp.float32), dtype=jnp.int32)
        return jnp.array(rates, jnp.float32)[passed]

    return warm_up(falling, steps, lr=lr, warmup_steps=warmup_steps, warmup_lr=warmup_lr)
