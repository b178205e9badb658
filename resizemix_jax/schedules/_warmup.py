"""The linear warm-up that all schedules may begin with, and the checks of its numbers."""

import jax.numpy as jnp

from resizemix_jax.ranges import NOT_NEGATIVE, POSITIVE


def warm_up(then, steps, *, lr, warmup_steps, warmup_lr):
    """A linear rise from `warmup_lr` to `lr` over `warmup_steps` steps, then the schedule `then`.

    Law: step < warmup_steps: warmup_lr + (lr - warmup_lr) * step / warmup_steps; then(step) otherwise.

    Args:
        then: step (float32 []) -> learning rate, float32 [].
        steps: of the whole run.
        lr: > 0.
        warmup_steps: >= 0 and < steps.
        warmup_lr: >= 0.

    Returns:
        step (int or int32 []) -> float32 [].

    Raises:
        ValueError: a value out of range.
    """
    POSITIVE.check('schedule_args.', lr=lr)
    NOT_NEGATIVE.check('schedule_args.', warmup_lr=warmup_lr)
    if not 0 <= warmup_steps < steps:
        raise ValueError(
            f'schedule_args: a warm-up of {warmup_steps} steps does not fit a run of {steps} steps; '
            'it must be >= 0 and shorter than the run'
        )

    def schedule(step):
        step = jnp.asarray(step, jnp.float32)
        rising = warmup_lr + (lr - warmup_lr) * step / max(warmup_steps, 1)
        return jnp.where(step < warmup_steps, rising, then(step))

    return schedule
