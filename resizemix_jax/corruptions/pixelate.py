"""Coarse pixels."""

import jax.numpy as jnp
from jax import Array

from resizemix_jax.corruptions._filters import apply, box
from resizemix_jax.corruptions._images import corruption, numbers


@corruption
def pixelate(key: Array | None, images: Array, *, severity: int = 1) -> Array:
    """Reduces the sides to floor(c side) pixels and enlarges them again, by Pillow's box filter both times.

    The filter is of columns first, then of rows, each rounded to whole levels, as in Pillow; its coefficients
    are of 22 bits there and of float32 here.

    c: 32 pixels 0.95, 0.9, 0.85, 0.75, 0.65; 224 pixels 0.6, 0.5, 0.4, 0.3, 0.25. Nothing is drawn.
    """
    del key
    share = numbers(images, severity, (0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25))
    height, width = images.shape[1:3]
    low, narrow = (max(1, int(side * share)) for side in (height, width))
    reduced = _resized(255 * images, low, narrow)
    return _resized(reduced, height, width) / 255


def _resized(x: Array, height: int, width: int) -> Array:
    _, rows, columns, _ = x.shape
    across = _rounded(apply(box(rows, rows), box(columns, width), x))
    return _rounded(apply(box(rows, height), box(width, width), across))


def _rounded(x: Array) -> Array:
    return jnp.floor(x + 0.5)
