"""A teacher whose answers can be worked out: linear in the means of the image's cells; for JAX and NumPy."""

import jax
import jax.numpy as jnp
import numpy as np

CELLS = 4


def linear(classes=5, gain=1.0):
    """images float [B, H, W, C], H and W multiples of CELLS -> logits [B, classes]; fixed random weights."""

    def teacher(images):
        _, height, width, channels = images.shape
        einsum = jnp.einsum if isinstance(images, jax.Array) else np.einsum
        rows, cols = (np.repeat(np.eye(CELLS, dtype=np.float32), n // CELLS, 0) for n in (height, width))
        size = height * width // CELLS**2
        kernel = np.random.default_rng(0).normal(size=(CELLS * CELLS * channels, classes)) * gain / size
        kernel = kernel.astype(np.float32).reshape(CELLS, CELLS, channels, classes)
        # Without a reshape of the images, which a mesh with Explicit axes does not allow.
        return einsum('bhwc,hy,wx,yxck->bk', images, rows, cols, kernel)

    return teacher
