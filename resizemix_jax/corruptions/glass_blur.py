"""Behind frosted glass."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.corruptions._filters import blur
from resizemix_jax.corruptions._images import corruption, levels, numbers

SMALL = (0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)
LARGE = (0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)


@corruption
def glass_blur(key: Array, images: Array, *, severity: int = 1) -> Array:
    """Blurs, moves pixels about, and blurs again.

    Law: a Gaussian filter of standard deviation s, rounded down to levels; then n sweeps over the pixels from
    the lower right, row by row, in which the pixel (y, x) takes the value that the pixel (y + i, x + j) has
    at that moment, with i and j uniform on -d..d - 1; the pixels of the sweep are those with y from H - d
    down to d + 1, and x alike. Then the same filter.

    (s, d, n): 32 pixels `SMALL`, 224 pixels `LARGE`. The paper speaks of swapping pixels; the public code
    assigns views of one array to each other, which copies one of both. This is the law of the code, since it
    made the published images.
    """
    sigma, reach, sweeps = numbers(images, severity, SMALL, LARGE)
    x = levels(blur(images, sigma)) / 255
    for k in range(sweeps):
        x = _sweep(jax.random.fold_in(key, k), x, reach)
    return blur(x, sigma)


def _sweep(key: Array, x: Array, reach: int) -> Array:
    """All pixels of a sweep at once: a chain of copies is followed to its end by doubling its links."""
    batch, height, width, channels = x.shape
    moves = jax.random.randint(key, (2, batch, height, width), -reach, reach)
    row, column = jnp.arange(height)[:, None], jnp.arange(width)[None]
    moved = _swept(row, height, reach) & _swept(column, width, reach)
    down, across = row + moves[0], column + moves[1]
    source = jnp.where(moved, down * width + across, row * width + column)
    # A source that the sweep has already passed gives what it took itself.
    passed = (down > row) | ((down == row) & (across > column))
    passed &= moved & _swept(down, height, reach) & _swept(across, width, reach)
    link = jnp.where(passed, source, row * width + column).reshape(batch, -1)
    for _ in range(int(np.ceil(np.log2(height * width)))):
        link = jnp.take_along_axis(link, link, axis=1)
    place = jnp.take_along_axis(source.reshape(batch, -1), link, axis=1)
    return jnp.take_along_axis(x.reshape(batch, -1, channels), place[..., None], axis=1).reshape(x.shape)


def _swept(place: Array, size: int, reach: int) -> Array:
    return (place > reach) & (place <= size - reach) & (place < size)
