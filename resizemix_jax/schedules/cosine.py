"""A linear warm-up, then half a cosine down to the final learning rate (Loshchilov and Hutter, 2017)."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from resizemix_jax.ranges import NOT_NEGATIVE
from resizemix_jax.schedules._warmup import warm_up


def cosine(
    steps: int,
    steps_per_epoch: int,
    *,
    lr: float = 0.1,
    warmup_epochs: float = 0,
    warmup_lr: float = 1e-5,
    final_lr: float = 0.0,
) -> Callable[[int | Array], Array]:
    """The schedule of the paper, and with a warm-up that of the released code; one value for every step.

    Law, with w = warmup_epochs * steps_per_epoch:
        step < w:   warmup_lr + (lr - warmup_lr) * step / w
        otherwise:  final_lr + (lr - final_lr) * (1 + cos(pi * t)) / 2,  t = (step - w) / (steps - w)

    Args:
        steps, steps_per_epoch: see `resizemix_jax.schedules`.
        lr: the peak, > 0.
        warmup_epochs: >= 0; the warm-up must be shorter than the run.
        warmup_lr, final_lr: where the warm-up starts and the cosine ends, >= 0.

    Returns:
        step (int or int32 []) -> float32 [].

    Raises:
        ValueError: a value out of range.
    """
    NOT_NEGATIVE.check('schedule_args.', warmup_epochs=warmup_epochs, final_lr=final_lr)
    warmup_steps = warmup_epochs * steps_per_epoch

    def falling(step):
        part = (step - warmup_steps) / (steps - warmup_steps)
        return final_lr + (lr - final_lr) * (1 + jnp.cos(jnp.pi * part)) / 2

    return warm_up(falling, steps, lr=lr, warmup_steps=warmup_steps, warmup_lr=warmup_lr)
