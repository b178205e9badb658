"""All that changes while training: arrays only, and all that a checkpoint holds."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp


class TrainState(flax.struct.PyTreeNode):
    """The state after `step` steps.

    Attributes:
        step: int32 [], how many steps were taken.
        params: the network's parameters, float32.
        batch_stats: BatchNorm's running means and variances, float32; {} for a network without.
        opt_state: of optax.
        metrics: name -> float32 [], sums over the steps of the current log interval (`step.train_step`).
    """

    step: jax.Array
    params: Any
    batch_stats: Any
    opt_state: Any
    metrics: dict


def create(variables, tx, metric_names):
    """The state before the first step.

    Args:
        variables: 'params' and, if the network has it, 'batch_stats'.
        tx: `optax.GradientTransformation`.
        metric_names: of the task's training metrics.
    """
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=variables['params'],
        batch_stats=variables.get('batch_stats', {}),
        opt_state=tx.init(variables['params']),
        metrics={name: jnp.zeros((), jnp.float32) for name in metric_names},
    )
