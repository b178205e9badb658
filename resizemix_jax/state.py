"""Everything that changes during training: arrays only, and everything that a checkpoint holds."""

from typing import Any

import flax.errors
import flax.struct
import jax
import jax.numpy as jnp

NetworkError = flax.errors.FlaxError  # what a network raises that cannot be run


class TrainState(flax.struct.PyTreeNode):
    """The state after `step` steps.

    Attributes:
        step: int32 [], the number of steps taken.
        params: the network's parameters, float32.
        batch_stats: BatchNorm's running means and variances, float32; {} for a network without.
        opt_state: of optax.
        metrics: name -> float32 [], sums over the steps of the current log interval; 'steps' counts them.
        more: name -> tree, what a task or a recipe adds (a controller, averaged weights); {} by default.
    """

    step: jax.Array
    params: Any
    batch_stats: Any
    opt_state: Any
    metrics: dict
    more: dict = flax.struct.field(default_factory=dict)


def create(variables, tx, metric_names, trainable=lambda params: params):
    """The state before the first step.

    Args:
        variables: 'params', and 'batch_stats' and 'more' where the task has them.
        tx: `optax.GradientTransformation`.
        metric_names: of the task's training metrics.
        trainable: params -> the part of them that `tx` updates.
    """
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=variables['params'],
        batch_stats=variables.get('batch_stats', {}),
        opt_state=tx.init(trainable(variables['params'])),
        metrics={name: jnp.zeros((), jnp.float32) for name in (*metric_names, 'steps')},
        more=variables.get('more', {}),
    )
