"""Whether the loss and the state of a step are finite: NaN and infinite values are never saved."""

import math

import jax
import jax.numpy as jnp

from resizemix_jax.errors import NonFiniteError
from resizemix_jax.run import leaves

SAVED = 'params', 'batch_stats', 'opt_state', 'more'  # fields of a state; its metrics are only logged


def check_loss(metrics, step, newest):
    """Raises NonFiniteError if the loss of step number `step` (counted from 1) is NaN or infinite.

    Args:
        metrics: of that step, or None.
        newest: () -> the step of the newest checkpoint, for the message.
    """
    loss = float(metrics['loss']) if metrics else 0.0
    if not math.isfinite(loss):
        raise _error(f'The loss of step {step} is {loss}', newest)


def check_state(state, step, newest):
    """Raises NonFiniteError if the state after a step has NaN or infinite values; one pass on the device."""
    found = leaves.named({name: getattr(state, name) for name in SAVED})
    found = {name: leaf for name, leaf in found.items() if jnp.issubdtype(leaf.dtype, jnp.inexact)}
    flags = jax.device_get(_are_finite(list(found.values()))) if found else ()
    wrong = [name for name, flag in zip(found, flags, strict=True) if not flag]
    if wrong:
        raise _error(
            f'After step {step} there are NaN or infinite values in {leaves.listed(wrong, 3)}', newest
        )


@jax.jit
def _are_finite(arrays):
    return jnp.stack([jnp.isfinite(array).all() for array in arrays])


def _error(what, newest):
    step = newest()
    kept = f'The newest checkpoint is of step {step}' if step else 'No checkpoint was saved before'
    return NonFiniteError(
        f'{what}; that state is not saved. {kept}. A lower --config.schedule_args.lr, a warm-up or '
        '--config.dtype=float32 may help'
    )
