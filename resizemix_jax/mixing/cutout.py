"""Cutout (DeVries and Taylor, 2017): a square of every image is set to zero."""

import jax.numpy as jnp
from jax import Array

from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.ranges import Whole


@mixing_op
def cutout(key: Array, images: Array, labels: Array, *, length: int = 16) -> tuple[Array, Array]:
    """Zeroes one square an image; labels are untouched.

    Law:
        centre   uniform over the pixels, independently per image.
        square   `length // 2` pixels to each side of the centre, clipped at the border, so it may be smaller.
        fill     0, which is the mean colour, since the trainer mixes after normalisation.
        label    unchanged; always applied.

    Source: arXiv:1708.04552; uoguelph-mlrg/Cutout util/cutout.py. The published lengths are 16 for
    CIFAR-10, 8 for CIFAR-100, 20 for SVHN; the AutoAugment family uses 16 for both CIFARs.

    Args:
        key, images, labels: see the contract of `resizemix_jax.mixing`.
        length: the square's side in pixels, >= 1; beyond twice the image's longer side nothing would be left.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    batch, height, width, _ = images.shape
    Whole(1, 2 * max(height, width)).check(length=length)
    y, x = region.draw_centres(key, batch, height, width)
    box = region.clipped_box(y, x, (length, length), height, width)
    hole = region.inside(box, height, width)
    return jnp.where(hole, jnp.zeros((), images.dtype), images), labels
