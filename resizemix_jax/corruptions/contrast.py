"""Less contrast."""

import jax.numpy as jnp
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers


@corruption
def contrast(key: Array | None, images: Array, *, severity: int = 1) -> Array:
    """Every value x becomes c (x - m) + m, with m the mean of its channel in the image.

    c: 32 pixels 0.75, 0.5, 0.4, 0.3, 0.15; 224 pixels 0.4, 0.3, 0.2, 0.1, 0.05. Nothing is drawn.
    """
    del key
    kept = numbers(images, severity, (0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05))
    mean = jnp.mean(images, axis=(1, 2), keepdims=True)
    return kept * (images - mean) + mean
