"""Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as torch.optim.AdamW defines it."""

from collections.abc import Callable

import optax
from jax import Array

from resizemix_jax.optimizers import _decay
from resizemix_jax.ranges import NOT_NEGATIVE, POSITIVE, Number


def adamw(
    schedule: Callable[[int | Array], Array],
    *,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    decay: str = 'kernels',
    clip_norm: float = 0.0,
) -> optax.GradientTransformation:
    """torch's AdamW after gradient clipping by the global norm; the defaults are torch's but `decay`.

    Law, for all parameters together with gradient g, then for each p (m, v are 0 before step t = 1):
        g = g * min(1, clip_norm / |g|)    if clip_norm > 0; |g| is over all parameters
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g ** 2
        p = p - lr * (m / (1 - b1 ** t) / (sqrt(v / (1 - b2 ** t)) + eps) + weight_decay * p)
    torch clips by clip_norm / (|g| + 1e-6). The gradient that is clipped is the mean over devices.

    Args:
        schedule: step -> learning rate.
        b1, b2: in [0, 1).
        eps: > 0.
        weight_decay: >= 0; its effect is multiplied by the learning rate, as in torch and timm.
        decay: 'kernels' excludes biases, scales of normalisations, positions and tokens, as timm does;
            'all' decays every parameter, as torch does for model.parameters().
        clip_norm: the largest norm, > 0; 0 for no clipping.

    Returns:
        An `optax.GradientTransformation`; its state has the same tree with and without clipping.

    Raises:
        ValueError: a value out of range.
    """
    mask = _decay.mask(weight_decay, decay)
    Number(0, 1, '[)').check('optimizer_args.', b1=b1, b2=b2)
    POSITIVE.check('optimizer_args.', eps=eps)
    NOT_NEGATIVE.check('optimizer_args.', clip_norm=clip_norm)
    return optax.chain(
        optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity(),
        optax.scale_by_adam(b1, b2, eps),
        optax.add_decayed_weights(weight_decay, mask=mask),
        optax.scale_by_learning_rate(schedule),
    )
