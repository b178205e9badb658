"""From stored pixels to what the network sees."""

import jax.numpy as jnp


def normalize(images, mean, std):
    """(images / 255 - mean) / std, float32.

    Args:
        images: uint8 [B, H, W, C].
        mean, std: of each channel, for images in [0, 1]; length C.

    Returns:
        float32 [B, H, W, C]; the mean colour is 0.
    """
    mean = jnp.asarray(mean, jnp.float32)
    std = jnp.asarray(std, jnp.float32)
    return (images.astype(jnp.float32) / 255 - mean) / std
