"""Noise of single photons."""

import jax
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers


@corruption
def shot_noise(key: Array, images: Array, *, severity: int = 1) -> Array:
    """Every value x in [0, 1] becomes a draw of Poisson(c x), divided by c.

    c: 32 pixels 500, 250, 100, 75, 50; 224 pixels 60, 25, 12, 5, 3.
    """
    count = numbers(images, severity, (500, 250, 100, 75, 50), (60, 25, 12, 5, 3))
    return jax.random.poisson(key, count * images).astype(images.dtype) / count
