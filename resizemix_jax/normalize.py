"""From stored pixels to the network's input, and back."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


def normalize(images: Array, mean: ArrayLike, std: ArrayLike) -> Array:
    """(images / 255 - mean) / std, float32.

    Args:
        images: uint8 [B, H, W, C].
        mean, std: per channel, for images in [0, 1]; length C.

    Returns:
        float32 [B, H, W, C]; the mean colour is 0.
    """
    mean = jnp.asarray(mean, jnp.float32)
    std = jnp.asarray(std, jnp.float32)
    return (images.astype(jnp.float32) / 255 - mean) / std


def denormalize(images: Array, mean: ArrayLike, std: ArrayLike) -> Array:
    """The inverse, for display: uint8, rounded and clipped; arguments as in `normalize`."""
    mean = jnp.asarray(mean, jnp.float32)
    std = jnp.asarray(std, jnp.float32)
    return jnp.clip(jnp.round((images * std + mean) * 255), 0, 255).astype(jnp.uint8)
