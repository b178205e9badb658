"""One operation applied to every image, to display it or to train with it alone."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment import _ops as ops
from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment._images import augmentation
from resizemix_jax.ranges import SHARE, Choice


@augmentation
def operation(
    key: Array,
    images: Array | np.ndarray,
    *,
    name: str = 'Rotate',
    level: float = 0.8,
    fill: int | Sequence[int] = 0,
    interpolation: str = 'nearest',
) -> Array:
    """Applies one operation of `_ops.OPS`.

    Law: `_policy.apply_step` with probability 1; the level in [0, 1] is read as in Fast AutoAugment
    (`_magnitudes.level`), and SolarizeAdd and Add add int(110 level).

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        name: one of `_ops.OPS`.
        level: in [0, 1].
        fill: colour of the pixels that a warp uncovers: a value, or one for each channel; 0..255.
        interpolation: of the warps, 'nearest' or 'bilinear'.

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: an unknown operation or a level out of range.
    """
    Choice(*ops.OPS).check(name=name)
    SHARE.check(level=level)
    batch, height, width, _ = images.shape
    reading = magnitudes.level(name, level, height, width)
    base, amount, signed = (int(110 * level), 0.0, False) if name in ('SolarizeAdd', 'Add') else reading
    step = policies.Steps(
        *(jnp.full(batch, value, dtype) for value, dtype in (
            (ops.OPS.index(name), jnp.int32), (1.0, jnp.float32), (base, jnp.float32),
            (amount, jnp.float32), (signed, bool),
        ))
    )  # fmt: skip
    return policies.apply_step(
        key, images, step, fill=fill, cutout_fill=(125, 123, 114), interpolation=interpolation
    )
