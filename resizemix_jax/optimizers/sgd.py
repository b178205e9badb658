"""Stochastic gradient descent with momentum, as torch.optim.SGD defines it."""

from collections.abc import Callable

import optax
from jax import Array

from resizemix_jax.optimizers import _decay
from resizemix_jax.ranges import Flag, Number


def sgd(
    schedule: Callable[[int | Array], Array],
    *,
    momentum: float = 0.9,
    nesterov: bool = True,
    weight_decay: float = 0.0,
    decay: str = 'all',
) -> optax.GradientTransformation:
    """torch's SGD: weight decay is added to the gradient, and the learning rate multiplies the momentum.

    Law, for a parameter p with gradient g and momentum buffer m (0 before the first step):
        d = g + weight_decay * p
        m = momentum * m + d
        p = p - lr * (d + momentum * m)    with nesterov, or p - lr * m without

    Args:
        schedule: step -> learning rate.
        momentum: in [0, 1); nesterov needs it > 0.
        nesterov: which of the two updates.
        weight_decay: >= 0.
        decay: 'all' decays every parameter, as torch does for model.parameters() and as all compared
            implementations do except Fast AutoAugment's and those derived from it; 'kernels' excludes biases
            and BatchNorm (see `_decay`).

    Returns:
        An `optax.GradientTransformation`.

    Raises:
        ValueError: a value out of range.
    """
    mask = _decay.mask(weight_decay, decay)
    Number(0, 1, '[)').check('optimizer_args.', momentum=momentum)
    Flag().check('optimizer_args.', nesterov=nesterov)
    if nesterov and not momentum:
        raise ValueError(
            'optimizer_args.nesterov=True needs optimizer_args.momentum > 0; set nesterov=False for none'
        )
    return optax.chain(
        optax.add_decayed_weights(weight_decay, mask=mask),
        optax.trace(momentum, nesterov=nesterov),
        optax.scale_by_learning_rate(schedule),
    )
