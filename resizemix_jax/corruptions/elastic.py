"""Stretched as rubber."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.corruptions import _filters
from resizemix_jax.corruptions._images import corruption, numbers

SMALL = (0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)
LARGE = (2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)
UNIT = 32, 244  # pixels, of the numbers above; 244 is the original's, for images of 224


@corruption
def elastic(key: Array, images: Array, *, severity: int = 1) -> Array:
    """An affine map of three points, then a smooth field of displacements.

    Law: with r a third of the shorter side, rounded down, the points (r, r), (r, -r) and (-r, -r) about the
    centre (W // 2, H // 2) each move by draws uniform on [-p, p); the image follows by bilinear
    interpolation, mirrored about its last pixels. Then the pixel (y, x) takes the value
    at (y + d_y, x + d_x), bilinear, mirrored about the last pixels' edges; each d is a times a field of draws
    uniform on [-1, 1), one a pixel, behind a Gaussian filter of standard deviation s (3 s wide, mirrored).

    (a, s, p), in units of 32 pixels `SMALL`, in units of 244 pixels `LARGE`. OpenCV interpolates the affine
    map at multiples of 1/32 pixel; here it is not rounded.
    """
    amount, sigma, shift = numbers(images, severity, SMALL, LARGE)
    unit = numbers(images, 1, UNIT[:1], UNIT[1:])
    batch, height, width, _ = images.shape
    key_points, key_field = jax.random.split(key)
    y, x = jnp.arange(height, dtype=images.dtype)[:, None], jnp.arange(width, dtype=images.dtype)[None]
    rows, columns = _affine(key_points, batch, height, width, unit * shift)
    down, across = (
        c[:, 0, None, None] * x + c[:, 1, None, None] * y + c[:, 2, None, None] for c in (rows, columns)
    )
    images = _sample(images, down, across, _about_the_pixel)
    if not amount:
        return images
    field = jax.random.uniform(key_field, (batch, height, width, 2), minval=-1)
    first, second = (_filters.gaussian(side, unit * sigma, 3.0, 'reflect') for side in (height, width))
    field = unit * amount * _filters.apply(first, second, field)
    return _sample(images, y + field[..., 0], x + field[..., 1], _about_the_edge)


def _affine(key: Array, batch: int, height: int, width: int, shift: float) -> tuple[Array, Array]:
    """The rows of the map from the moved points to where they were: y and x of each image, float32 [B, 3]."""
    reach, centre = min(height, width) // 3, jnp.array([width // 2, height // 2], jnp.float32)
    points = centre + reach * jnp.array([[1, 1], [1, -1], [-1, -1]], jnp.float32)
    moved = points + jax.random.uniform(key, (batch, 3, 2), minval=-shift, maxval=shift)
    equations = jnp.concatenate([moved, jnp.ones((batch, 3, 1))], axis=2)
    solved = jnp.linalg.solve(equations, jnp.broadcast_to(points, (batch, 3, 2)))
    return solved[..., 1], solved[..., 0]


def _sample(images: Array, y: Array, x: Array, border: Callable) -> Array:
    """Bilinear interpolation at y and x, float32 [B, H, W]; `border` takes a place outside to one inside."""
    batch, height, width, _ = images.shape
    top, left = jnp.floor(y), jnp.floor(x)
    image, total = jnp.arange(batch)[:, None, None], jnp.zeros_like(images)
    for row, share_y in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, share_x in ((left, 1 - (x - left)), (left + 1, x - left)):
            place = border(row.astype(jnp.int32), height), border(column.astype(jnp.int32), width)
            total = total + (share_y * share_x)[..., None] * images[image, *place]
    return total


def _about_the_pixel(place: Array, size: int) -> Array:
    period = max(2 * size - 2, 1)
    place = place % period
    return jnp.minimum(place, period - place)


def _about_the_edge(place: Array, size: int) -> Array:
    place = place % (2 * size)
    return jnp.minimum(place, 2 * size - 1 - place)
