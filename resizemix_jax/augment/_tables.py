"""The operations that map every value by a table of 256: uint8 [N, C, 256], one per image and channel."""

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from resizemix_jax.augment import _enhance as enhance

LEVELS = np.arange(256, dtype=np.int32)


def invert():
    """255 - v."""
    return 255 - LEVELS


def solarize(threshold):
    """255 - v from `threshold` on: int32 [N, 256]."""
    return jnp.where(threshold[:, None] > LEVELS, LEVELS, 255 - LEVELS)


def add(amount):
    """v + amount, clipped to 0..255: int32 [N, 256]. `amount` is truncated to an integer."""
    return jnp.clip(LEVELS + jnp.trunc(amount)[:, None], 0, 255).astype(jnp.int32)


def solarize_add(amount):
    """`add` for values below 128."""
    return jnp.where(LEVELS < 128, add(amount), LEVELS)


def add_solarize(amount):
    """`add`, and then `solarize` at 128."""
    added = add(amount)
    return jnp.where(added < 128, added, 255 - added)


def posterize(bits):
    """The upper `bits` of v's eight; `bits` is truncated to an integer, 0 is black and 8 changes nothing."""
    dropped = 8 - jnp.clip(bits.astype(jnp.int32), 0, 8)[:, None]
    return (LEVELS >> dropped) << dropped


def brightness(factor):
    """The blend with black."""
    return from_level(0, factor)


def from_level(level, factor):
    """The blend with an image of one value: uint8 [N, 256]."""
    return enhance.blend(jnp.full((1, 1), level, jnp.int32), LEVELS, factor[:, None])


def contrast(images, factor):
    """The blend with the mean of the gray image, rounded: uint8 [N, C, 256]."""
    number, height, width, channels = images.shape
    pixels = height * width
    total = enhance.gray(images).sum((1, 2))
    mean = (2 * total + pixels) // (2 * pixels)
    table = enhance.blend(mean[:, None], LEVELS, factor[:, None])
    return jnp.broadcast_to(table[:, None], (number, channels, 256))


def histogram(images):
    """The count of each value in each channel: int32 [N, C, 256] of uint8 [N, H, W, C].

    A scatter per image and channel is the fastest form on CPU: its counts stay in the cache. A comparison
    with each of 256 levels takes hundreds of times as long.
    """
    zeros = jnp.zeros(256, jnp.int32)

    def one(image):
        levels = image.astype(jnp.int32).reshape(-1, image.shape[-1])
        return jnp.stack([zeros.at[v].add(1, mode='promise_in_bounds') for v in levels.T])

    return lax.map(one, images)


def equalize(images):
    """The table that spreads the values evenly: uint8 [N, C, 256] of uint8 [N, H, W, C].

    With step = (pixels - pixels of the greatest value) // 255, value v becomes (pixels below v + step // 2)
    // step, at most 255. A channel with step 0 is unchanged.
    """
    count = histogram(images)
    below = jnp.cumsum(count, -1) - count
    greatest = 255 - jnp.argmax(count[..., ::-1] > 0, -1)[..., None]
    step = jnp.take_along_axis(below, greatest, -1) // 255
    spread = (below + step // 2) // jnp.maximum(step, 1)
    return jnp.where(step > 0, jnp.minimum(spread, 255), LEVELS).astype(jnp.uint8)


def autocontrast(images):
    """The table that stretches the values present to 0..255: uint8 [N, C, 256] of uint8 [N, H, W, C].

    From low..high, v becomes 255 (v - low) / (high - low), truncated, in Pillow's double precision: where the
    quotient is a whole number, that is sometimes one less (the greatest value may become 254). Integers
    give the quotient, and a table of all cases the correction. A channel of one value is unchanged.
    """
    low, high = _extremes(images)
    span = high - low
    above = 255 * jnp.clip(LEVELS - low, 0, span)
    divisor = jnp.maximum(span, 1)
    level = above // divisor
    first, short = _short_quotients()
    row = jnp.asarray(first)[span] + level * jnp.asarray(np.gcd(LEVELS, 255))[span] // 255
    missing = (jnp.asarray(short)[row, low >> 3] >> (7 - low & 7)) & 1
    exact = above == level * divisor
    return jnp.where(span > 0, level - exact * missing, LEVELS).astype(jnp.uint8)


def _extremes(images):
    """The least and the greatest value of each channel: int32 [N, C, 1] each."""
    number, height, width, channels = images.shape
    # In two steps, the first along contiguous memory: many times as fast on CPU as both axes at once.
    rows = images.reshape(number, height, width * channels)
    low, high = (r.reshape(number, width, channels) for r in (rows.min(1), rows.max(1)))
    return low.min(1)[..., None].astype(jnp.int32), high.max(1)[..., None].astype(jnp.int32)


def _short_quotients():
    """Where `(low + j) scale + -low scale` in double, scale = 255 / span, is below a whole 255 j / span.

    Those j are the multiples of span / gcd(span, 255), so for each span there are gcd + 1 rows.

    Returns:
        int32 [256], each span's first row; and the rows, a bit for each `low`: uint8 [rows, 32].
    """
    rows, first = [], [0]
    low = np.arange(256)
    for span in range(256):
        common = math.gcd(span, 255) if span else 0
        scale = 255 / max(span, 1)
        for part in range(common + 1):
            value = (low + part * span // max(common, 1)) * scale + -low * scale
            rows.append(value.astype(np.int32) < part * 255 // max(common, 1))
        first.append(len(rows))
    return np.array(first[:-1], np.int32), np.packbits(rows, axis=1)


def lookup(images, table):
    """Maps every value of uint8 [N, H, W, C] by the table of its image and channel, uint8 [N, C, 256]."""
    number, _, _, channels = images.shape
    image, channel = np.arange(number)[:, None, None, None], np.arange(channels)
    return table.at[image, channel, images.astype(jnp.int32)].get(mode='promise_in_bounds')
