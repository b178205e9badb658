"""A lens out of focus."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.corruptions._images import corruption, numbers

SMALL = (0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)
LARGE = (3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)


@corruption
def defocus_blur(key: Array | None, images: Array, *, severity: int = 1) -> Array:
    """Correlates each channel with a disk (`disk`).

    Beyond the border the image is mirrored about its last pixel. (radius, alias): 32 pixels `SMALL`, 224
    pixels `LARGE`. Nothing is drawn.
    """
    del key
    kernel = disk(*numbers(images, severity, SMALL, LARGE))
    reach = len(kernel) // 2
    batch, height, width, channels = images.shape
    planes = jnp.moveaxis(images, 3, 1).reshape(batch * channels, 1, height, width)
    planes = jnp.pad(planes, ((0, 0), (0, 0), (reach, reach), (reach, reach)), 'reflect')
    taps = jnp.asarray(kernel, images.dtype)[None, None]
    made = jax.lax.conv(planes, taps, (1, 1), 'VALID', precision=jax.lax.Precision.HIGHEST)
    return jnp.moveaxis(made.reshape(batch, channels, height, width), 1, 3)


def disk(radius: float, alias: float) -> np.ndarray:
    """A disk with a smoothed edge: float64 [n, n], n odd.

    The pixels whose centres are within `radius`, each of the same weight, filtered with a Gaussian of
    standard deviation `alias` and 3 taps an axis. They are on a grid that reaches 8 pixels from the centre,
    at whose border the filter mirrors; above a radius of 8 the grid reaches as far as the disk, and there are
    5 taps.
    """
    reach, half = (8, 1) if radius <= 8 else (int(radius), 2)
    offsets = np.arange(-reach, reach + 1)
    made = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(float)
    taps = np.exp(-0.5 * (np.arange(-half, half + 1) / alias) ** 2)
    smooth = np.zeros((len(offsets), len(offsets)))
    for k, weight in zip(range(-half, half + 1), taps / taps.sum(), strict=True):
        place = np.abs(np.arange(len(offsets)) + k)
        place = 2 * reach - np.abs(2 * reach - place)
        np.add.at(smooth, (np.arange(len(offsets)), place), weight)
    made = smooth @ (made / made.sum()) @ smooth.T
    used = np.flatnonzero(made.any(axis=0))
    return made[used[0] : used[-1] + 1, used[0] : used[-1] + 1]
