"""Falling snow."""

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.corruptions import _filters
from resizemix_jax.corruptions._images import corruption, gray, levels, numbers
from resizemix_jax.corruptions._motion import motion

SMALL = (
    (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
    (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
    (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
    (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
    (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
)
LARGE = (
    (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
    (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
    (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
    (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
    (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
)


@corruption
def snow(key: Array, images: Array, *, severity: int = 1) -> Array:
    """Whitens the image and adds flakes, once as they are and once turned by 180 degrees.

    Law: flakes are normal draws (mean m, standard deviation s) for every pixel, their middle enlarged by z
    (`_filters.zoom`), 0 where they are below t, rounded down to levels, blurred along a line
    (`_motion.motion`: radius r, standard deviation q) at an angle uniform on [-135, -45) degrees. The image x
    becomes k x + (1 - k) max(x, 1.5 luma(x) + 0.5), and the flakes are added.

    (m, s, z, t, r, q, k): 32 pixels `SMALL`, 224 pixels `LARGE`. Images of one channel are their own luma.
    """
    mean, scale, factor, least, radius, sigma, kept = numbers(images, severity, SMALL, LARGE)
    key_flakes, key_angle = jax.random.split(key)
    flakes = mean + scale * jax.random.normal(key_flakes, (*images.shape[:3], 1))
    rows, columns = (_filters.zoom(side, factor) for side in images.shape[1:3])
    flakes = _filters.apply(rows, columns, flakes)
    flakes = levels(jnp.where(flakes < least, 0.0, flakes)) / 255
    angle = jax.random.uniform(key_angle, images.shape[:1], minval=-135, maxval=-45)
    flakes = motion(flakes, angle, radius, sigma)
    whiter = kept * images + (1 - kept) * jnp.maximum(images, 1.5 * gray(images) + 0.5)
    return whiter + flakes + flakes[:, ::-1, ::-1]
