"""More light."""

import jax.numpy as jnp
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers


@corruption
def brightness(key: Array | None, images: Array, *, severity: int = 1) -> Array:
    """Adds c to the value of each pixel in HSV, the highest of its channels, and clips it at 1.

    Hue and saturation stay, so the channels are scaled alike; a black pixel becomes gray.

    c: 32 pixels 0.05, 0.1, 0.15, 0.2, 0.3; 224 pixels 0.1, 0.2, 0.3, 0.4, 0.5. Nothing is drawn.
    """
    del key
    amount = numbers(images, severity, (0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5))
    value = jnp.max(images, axis=3, keepdims=True)
    brighter = jnp.minimum(value + amount, 1)
    return jnp.where(value > 0, images * (brighter / jnp.where(value > 0, value, 1)), brighter)
