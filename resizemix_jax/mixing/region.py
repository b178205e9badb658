"""Boxes and pasting. A box is int32 [..., 4] = (y0, x0, y1, x1), half-open, in pixels.

Two border rules exist in this field, and they are different laws:
    shifted   a box that would stick out is moved inside and keeps its size (ResizeMix, eq. 13-14);
    clipped   a box that would stick out is cut, so it may lose area (CutMix, Cutout).
"""

import jax
import jax.numpy as jnp


def draw_centres(key, count, height, width):
    """Uniform pixels: int32 [count] y in 0..height-1 and int32 [count] x in 0..width-1."""
    key_y, key_x = jax.random.split(key)
    y = jax.random.randint(key_y, (count,), 0, height)
    x = jax.random.randint(key_x, (count,), 0, width)
    return y, x


def shifted_box(y, x, size, height, width):
    """The box of `size` = (h, w) around pixel (y, x), moved inside the image: always h x w.

    y0 = clip(y - h // 2, 0, height - h), and x0 alike. So with a uniform centre the positions pile up
    at the borders: 25 rows of 32 start at row 0 with probability 13/32.
    """
    h, w = size
    y0 = jnp.clip(y - h // 2, 0, height - h)
    x0 = jnp.clip(x - w // 2, 0, width - w)
    return jnp.stack([y0, x0, y0 + h, x0 + w], axis=-1)


def clipped_box(y, x, size, height, width):
    """The box of `size` = (h, w) around pixel (y, x), cut at the image's border.

    y0 = clip(y - h // 2, 0, height), y1 = clip(y + h // 2, 0, height), and x alike: an odd side
    loses a pixel, a side of 1 vanishes (the law of the public CutMix and Cutout).
    """
    h, w = size
    y0, y1 = jnp.clip(y - h // 2, 0, height), jnp.clip(y + h // 2, 0, height)
    x0, x1 = jnp.clip(x - w // 2, 0, width), jnp.clip(x + w // 2, 0, width)
    return jnp.stack([y0, x0, y1, x1], axis=-1)


def share(box, height, width):
    """The share of the image's pixels inside `box`: float32 [...], exact in integers before the division."""
    area = (box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1])
    return area.astype(jnp.float32) / (height * width)


def inside(box, height, width):
    """The box as a mask: bool [N, H, W, 1] for box [N, 4], True inside."""
    y, x = jnp.arange(height), jnp.arange(width)
    rows = (y >= box[:, 0, None]) & (y < box[:, 2, None])
    cols = (x >= box[:, 1, None]) & (x < box[:, 3, None])
    return (rows[:, :, None] & cols[:, None, :])[..., None]
