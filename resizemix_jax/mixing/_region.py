"""Boxes and pasting. A box is int32 [..., 4] = (y0, x0, y1, x1), half-open, in pixels.

Two border rules exist in this field, and they are different laws:
    shifted   a box that crosses the border is moved inside and keeps its size (ResizeMix, eq. 13-14);
    clipped   a box that crosses the border is cut, so it may lose area (CutMix, Cutout).
"""

import jax
import jax.numpy as jnp
from jax import lax


def draw_centres(key, count, height, width):
    """Uniform pixels: int32 [count] y in 0..height-1 and int32 [count] x in 0..width-1."""
    key_y, key_x = jax.random.split(key)
    y = jax.random.randint(key_y, (count,), 0, height)
    x = jax.random.randint(key_x, (count,), 0, width)
    return y, x


def draw_centres_in(key, area):
    """A uniform pixel of each image's `area`, bool [B, H, W]: int32 [B] y and int32 [B] x.

    An area without any pixel gives (0, 0).
    """
    batch, _, width = area.shape
    rank = jnp.cumsum(area.reshape(batch, -1), axis=1, dtype=jnp.int32)
    wanted = jax.random.randint(key, (batch,), 0, jnp.maximum(rank[:, -1], 1))
    at = jnp.argmax(rank > wanted[:, None], axis=1).astype(jnp.int32)
    return at // width, at % width


def shifted_box(y, x, size, height, width):
    """The box of `size` = (h, w) around pixel (y, x), moved inside the image: always h x w.

    y0 = clip(y - h // 2, 0, height - h), and x0 likewise. So with a uniform centre the positions pile up
    at the borders: 25 rows of 32 start at row 0 with probability 13/32.
    """
    h, w = size
    y0 = jnp.clip(y - h // 2, 0, height - h)
    x0 = jnp.clip(x - w // 2, 0, width - w)
    return jnp.stack([y0, x0, y0 + h, x0 + w], axis=-1)


def clipped_box(y, x, size, height, width):
    """The box of `size` = (h, w) around pixel (y, x), clipped at the image's border.

    y0 = clip(y - h // 2, 0, height), y1 = clip(y + h // 2, 0, height), and x likewise: an odd side
    loses a pixel, and a side of 1 vanishes (the law of the public CutMix and Cutout).
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


def paste(images, partner, rows, cols, box):
    """Inside `box`, pixel (y, x) of image i becomes pixel (rows[i, y], cols[i, x]) of image partner[i].

    One form for patches of every size: two gathers and a select, without a temporary patch.

    Args:
        images: float [B, H, W, C].
        partner: int32 [B].
        rows, cols: int32 [B, H] and [B, W], pixels of the source; any valid index outside the box.
        box: int32 [B, 4].
    """
    _, height, width, _ = images.shape
    return jnp.where(inside(box, height, width), read(images, partner, rows, cols), images)


def read(images, partner, rows, cols):
    """Images whose pixel (y, x) is pixel (rows[i, y], cols[i, x]) of image partner[i].

    The arguments are those of `paste`. Two gathers; a TPU gathers single pixels slowly, so there each is a
    product with a 0-1 matrix, which is exact at the highest precision.
    """
    return lax.platform_dependent(images, partner, rows, cols, tpu=_read_by_product, default=_read_by_gather)


def _read_by_gather(images, partner, rows, cols):
    lines = images.at[partner[:, None], rows].get(mode='promise_in_bounds')
    take = jax.vmap(lambda line, col: line.at[:, col].get(mode='promise_in_bounds'))
    return take(lines, cols)


def _read_by_product(images, partner, rows, cols):
    pick_rows = jax.nn.one_hot(rows, images.shape[1], dtype=images.dtype)
    pick_cols = jax.nn.one_hot(cols, images.shape[2], dtype=images.dtype)
    lines = jnp.einsum('byh,bhwc->bywc', pick_rows, images[partner], precision='highest')
    return jnp.einsum('bxw,bywc->byxc', pick_cols, lines, precision='highest')
