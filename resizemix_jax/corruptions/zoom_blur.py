"""Moving towards the picture."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.corruptions import _filters
from resizemix_jax.corruptions._images import corruption, numbers

SMALL = (1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)
LARGE = (1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)


@corruption
def zoom_blur(key: Array | None, images: Array, *, severity: int = 1) -> Array:
    """The mean of the image and of its middle enlarged (`_filters.zoom`) by each of some factors.

    Factors: NumPy's arange(1, end, step); (end, step): 32 pixels `SMALL`, 224 pixels `LARGE`. Rows and
    columns are enlarged by themselves; the original is of squares. Nothing is drawn.
    """
    del key
    factors = np.arange(1, *numbers(images, severity, SMALL, LARGE))
    rows, columns = (np.stack([_filters.zoom(side, f) for f in factors]) for side in images.shape[1:3])
    matrices = jnp.asarray(rows, images.dtype), jnp.asarray(columns, images.dtype)

    def add(total, pair):
        return total + _filters.apply(*pair, images), None

    total, _ = jax.lax.scan(add, images, matrices)
    return total / (len(factors) + 1)
