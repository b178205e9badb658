"""Salt and pepper."""

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers


@corruption
def impulse_noise(key: Array, images: Array, *, severity: int = 1) -> Array:
    """Every value, of each channel by itself, becomes 0 or 1, with equal chances, with a probability.

    Probability: 32 pixels 0.01, 0.02, 0.03, 0.05, 0.07; 224 pixels 0.03, 0.06, 0.09, 0.17, 0.27.
    """
    amount = numbers(images, severity, (0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27))
    draw = jax.random.uniform(key, images.shape)
    return jnp.where(draw < amount / 2, 0.0, jnp.where(draw < amount, 1.0, images))
