"""Fog, as a fractal."""

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers

SMALL = (0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)
LARGE = (1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)


@corruption
def fog(key: Array, images: Array, *, severity: int = 1) -> Array:
    """Adds c times a fractal (`plasma`) and scales by m / (m + c), with m the highest value of the image.

    (c, decay): 32 pixels `SMALL`, 224 pixels `LARGE`. The fractal has the least power of two of pixels a side
    that covers the image; its upper left corner is used.
    """
    amount, decay = numbers(images, severity, SMALL, LARGE)
    _, height, width, _ = images.shape
    size = 1 << (max(height, width, 2) - 1).bit_length()
    cloud = jax.vmap(lambda key: plasma(key, size, decay))(jax.random.split(key, len(images)))
    highest = jnp.max(images, axis=(1, 2, 3), keepdims=True)
    return (images + amount * cloud[:, :height, :width, None]) * highest / (highest + amount)


def plasma(key: Array, size: int, decay: float) -> Array:
    """A fractal by the diamond-square algorithm on a torus, scaled to [0, 1]: float32 [size, size].

    Law: the corner is 0. At steps of size, size / 2, ..., 2 the middles of the squares become the mean of
    their four corners plus w u, then the middles of the edges that of their four neighbours plus w u, with u
    uniform on [-w, w); w is 100 first and is divided by `decay` after every step. So the amplitude is w^2:
    the law of the public code.

    Args:
        key: typed JAX key.
        size: a power of two.
        decay: > 1.
    """
    uniform = jax.random.uniform(key, (3, (size * size - 1) // 3), minval=-1.0)  # at once, for all steps
    corner, wibble, used = jnp.zeros((1, 1)), 100.0, 0
    while len(corner) < size:
        count = len(corner)
        noise = wibble**2 * uniform[:, used : used + count**2].reshape(3, count, count)
        below, right = jnp.roll(corner, -1, axis=0), jnp.roll(corner, -1, axis=1)
        middle = (corner + below + right + jnp.roll(below, -1, axis=1)) / 4 + noise[0]
        upper = (middle + jnp.roll(middle, 1, axis=0) + corner + right) / 4 + noise[1]
        left = (middle + jnp.roll(middle, 1, axis=1) + corner + below) / 4 + noise[2]
        rows = jnp.stack([corner, upper], axis=-1), jnp.stack([left, middle], axis=-1)
        corner = jnp.stack(rows, axis=1).reshape(2 * count, 2 * count)
        wibble, used = wibble / decay, used + count**2
    corner = corner - corner.min()
    return corner / corner.max()
