"""Blends of an image with a degenerate one, in Pillow's arithmetic: ImageEnhance and ImageFilter.SMOOTH."""

import jax.numpy as jnp
import numpy as np
from jax import lax

LUMA = np.array([19595, 38470, 7471], np.int32)  # ITU-R 601, of 65536


def blend(degenerate, image, factor):
    """degenerate + factor (image - degenerate), clipped to 0..255 and truncated to uint8.

    Pillow rounds the product to float32 and then the sum. A compiler may fuse the two into one rounding, so
    the product is computed as two exact halves, from the upper and the lower half of the factor's bits: their
    sum is the rounded product, fused or not.

    Args:
        degenerate, image: integers 0..255, of shapes that broadcast.
        factor: float32, any value; 0 is the degenerate image and 1 the image.
    """
    bits = lax.bitcast_convert_type(factor, jnp.int32)
    upper = lax.bitcast_convert_type(bits & ~0xFFF, jnp.float32)
    degenerate = degenerate.astype(jnp.float32)
    difference = image.astype(jnp.float32) - degenerate
    product = upper * difference + (factor - upper) * difference
    return jnp.clip(degenerate + product, 0, 255).astype(jnp.uint8)


def gray(images):
    """Luma, rounded: int32 [..., H, W] of uint8 [..., H, W, C]."""
    images = images.astype(jnp.int32)
    if images.shape[-1] == 1:
        return images[..., 0]
    # As a sum over the channels: splitting them first costs eight times as much on CPU.
    return ((images * LUMA).sum(-1) + 32768) >> 16


def color(images, factor):
    """Every image blended with its gray version: uint8 [N, H, W, C], factor float32 [N]."""
    return blend(gray(images)[..., None], images, factor[:, None, None, None])


def sharpness(images, factor, *, truncate=False):
    """Every image blended with its smoothed version, (5 centre + 8 neighbours) / 13, except at the border.

    The smoothed version is rounded, as Pillow does, or truncated.
    """
    number, height, width, channels = images.shape
    if min(height, width) < 3:
        return images
    # Channels are merged into the columns: this fills the CPU's vectors and halves the time.
    flat = images.reshape(number, height, width * channels)
    inner = flat[:, 1:-1, channels:-channels]
    wide = flat.astype(jnp.uint16)  # holds 13 x 255
    three = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    nine = three[:, :, : -2 * channels] + three[:, :, channels:-channels] + three[:, :, 2 * channels :]
    # (s + 6) // 13 is s / 13 rounded: no tie exists, since 13 is odd.
    smooth = (nine + 4 * inner.astype(jnp.uint16) + (0 if truncate else 6)) // 13
    sharp = blend(smooth, inner, factor[:, None, None])
    return flat.at[:, 1:-1, channels:-channels].set(sharp).reshape(images.shape)
