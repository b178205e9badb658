"""A moving camera."""

import jax
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers
from resizemix_jax.corruptions._motion import motion

SMALL = (6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)
LARGE = (10, 3), (15, 5), (15, 8), (15, 12), (20, 15)


@corruption
def motion_blur(key: Array, images: Array, *, severity: int = 1) -> Array:
    """Blurs along a line (`_motion.motion`) at an angle uniform on [-45, 45) degrees.

    (radius, standard deviation): 32 pixels `SMALL`, 224 pixels `LARGE`.
    """
    radius, sigma = numbers(images, severity, SMALL, LARGE)
    angle = jax.random.uniform(key, images.shape[:1], minval=-45, maxval=45)
    return motion(images, angle, radius, sigma)
