"""Linear filters as matrices made on the host: the rows and columns of an image are multiplied by them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array


def apply(rows: Array | np.ndarray, columns: Array | np.ndarray, x: Array) -> Array:
    """rows @ image @ columns.T for every channel: [h, H], [w, W], [B, H, W, C] -> [B, h, w, C]."""
    exact = jax.lax.Precision.HIGHEST
    down = jnp.einsum('hi,bijc->bhjc', jnp.asarray(rows, x.dtype), x, precision=exact)
    return jnp.einsum('wj,bhjc->bhwc', jnp.asarray(columns, x.dtype), down, precision=exact)


def gaussian(size: int, sigma: float, truncate: float, mode: str) -> np.ndarray:
    """The Gaussian filter of scipy.ndimage along an axis of `size` pixels: float64 [size, size].

    The radius is floor(truncate * sigma + 0.5). Beyond the border: 'nearest' repeats the last pixel,
    'reflect' mirrors about the edge of the last pixel.
    """
    radius = int(truncate * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2) if radius else np.ones(1)
    made = np.zeros((size, size))
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        place = np.arange(size) + offset
        if mode == 'nearest':
            place = np.clip(place, 0, size - 1)
        else:
            place = place % (2 * size)
            place = np.minimum(place, 2 * size - 1 - place)
        np.add.at(made, (np.arange(size), place), weight)
    return made


def blur(x: Array, sigma: float) -> Array:
    """The Gaussian filter of skimage.filters: 4 sigma wide, with the border repeated."""
    rows, columns = (gaussian(side, sigma, 4.0, 'nearest') for side in x.shape[1:3])
    return apply(rows, columns, x)


def zoom(size: int, factor: float) -> np.ndarray:
    """The middle of an axis, enlarged to all of it: float64 [size, size].

    The middle ceil(size / factor) pixels become round(that * factor) by linear interpolation with the first
    and last pixels' centres kept, as scipy.ndimage.zoom has it with order 1; of these the middle `size`.
    """
    kept = int(np.ceil(size / factor))
    first = (size - kept) // 2
    longer = round(kept * factor)
    place = np.arange(longer) * ((kept - 1) / max(longer - 1, 1))
    left = np.minimum(np.floor(place).astype(int), max(kept - 2, 0))
    share = place - left
    made = np.zeros((longer, size))
    np.add.at(made, (np.arange(longer), first + left), 1 - share)
    np.add.at(made, (np.arange(longer), first + np.minimum(left + 1, kept - 1)), share)
    start = (longer - size) // 2
    return made[start : start + size]


def box(size: int, longer: int) -> np.ndarray:
    """Pillow's box filter from `size` pixels to `longer` (or fewer): float64 [longer, size].

    A pixel takes the mean of those whose centres are within half its width of its own centre.
    """
    scale = size / longer
    width = max(scale, 1.0)
    centre = (np.arange(longer) + 0.5) * scale
    distance = (np.arange(size) + 0.5 - centre[:, None]) / width
    inside = ((distance > -0.5) & (distance <= 0.5)).astype(float)
    return inside / inside.sum(axis=1, keepdims=True)
