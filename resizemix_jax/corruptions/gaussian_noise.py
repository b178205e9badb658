"""Noise of low light."""

import jax
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers


@corruption
def gaussian_noise(key: Array, images: Array, *, severity: int = 1) -> Array:
    """Adds to every value in [0, 1] a draw of the normal distribution.

    Standard deviation: 32 pixels 0.04, 0.06, 0.08, 0.09, 0.10; 224 pixels 0.08, 0.12, 0.18, 0.26, 0.38.
    """
    scale = numbers(images, severity, (0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38))
    return images + scale * jax.random.normal(key, images.shape)
