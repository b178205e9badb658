"""Blur along a line, as ImageMagick makes it."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


def motion(x: Array, angle: Array, radius: int, sigma: float) -> Array:
    """Every pixel the mean of those on a line that begins at it.

    Law: tap i of 0..2 radius is at (y + o_y, x + o_x) with o_x = ceil(i cos a - 1/2), o_y = ceil(i sin a -
    1/2), and has a weight in proportion to exp(-i^2 / (2 sigma^2)); beyond the border the last pixel is
    repeated. The result is rounded to whole levels.

    Source: MotionBlurImage of ImageMagick (MagickCore/effect.c), whose sums are of 16 bits.

    Args:
        x: float32 [B, H, W, C] in [0, 1].
        angle: a, in degrees, float32 [B].
        radius: a whole number of pixels.
        sigma: in pixels.
    """
    count = 2 * radius + 1
    shape = np.exp(-0.5 * (np.arange(count) / sigma) ** 2)
    weights = jnp.asarray(shape / shape.sum(), x.dtype)
    radians = angle * np.float32(np.pi / 180)
    rows, columns = jnp.arange(x.shape[1]), jnp.arange(x.shape[2])

    def tap(i, total):
        down, across = (jnp.ceil(i * f(radians) - 0.5).astype(jnp.int32) for f in (jnp.sin, jnp.cos))
        row = jnp.clip(rows + down[:, None], 0, x.shape[1] - 1)
        column = jnp.clip(columns + across[:, None], 0, x.shape[2] - 1)
        image = jnp.arange(x.shape[0])[:, None, None]
        return total + weights[i] * x[image, row[:, :, None], column[:, None, :]]

    total = jax.lax.fori_loop(0, count, tap, jnp.zeros_like(x))
    return jnp.round(255 * total) / 255
