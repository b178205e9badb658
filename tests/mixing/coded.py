"""Images that tell where each of their pixels came from."""

import jax
import jax.numpy as jnp
import numpy as np


def batch(size, height=32, width=32, channels=3, dtype=jnp.float32):
    """Image i is i everywhere, label row i is one-hot at i: shares can be read off exactly."""
    images = jnp.broadcast_to(
        jnp.arange(size, dtype=dtype)[:, None, None, None], (size, height, width, channels)
    )
    return images, jnp.eye(size, dtype=jnp.float32)


def coordinates(size, height=32, width=32):
    """Pixel (y, x) of image i is (i, y, x): every pixel of a pasted patch names its source pixel."""
    i, y, x = np.meshgrid(np.arange(size), np.arange(height), np.arange(width), indexing='ij')
    return jnp.asarray(np.stack([i, y, x], axis=-1), jnp.float32), jnp.eye(size, dtype=jnp.float32)


def many(function, keys, images, labels):
    """`function(key, images, labels)` for every key, as NumPy: [keys, ...]."""
    # Not vmap: under it a switch runs every branch.
    out = jax.jit(lambda keys: jax.lax.map(lambda key: function(key, images, labels), keys))(keys)
    return tuple(np.asarray(a) for a in out)
