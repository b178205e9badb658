"""The standard augmentation of small images: zero-padded random crop, and horizontal flip."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.augment._images import augmentation
from resizemix_jax.ranges import Flag, Whole


@augmentation
def crop_flip(key: Array, images: Array | np.ndarray, *, padding: int = 4, flip: bool = True) -> Array:
    """Shifts every image by up to `padding` pixels and mirrors half of them.

    Law, independent for every image:
        crop   the image with `padding` zero pixels (black, before normalisation) on each side, cropped to
               its size at a corner uniform over {0..2 padding} on each axis;
        flip   with probability 1/2 the crop is mirrored left to right.

    Source: torchvision's RandomCrop(size, padding) then RandomHorizontalFlip(), as JayQine/ResizeMix and the
    works it compares with train CIFAR. (The original Wide ResNet pads by reflection.)

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        padding: pixels, from 0 to the images' shorter side.
        flip: whether to mirror.

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: the padding is out of range.
    """
    batch, height, width, _ = images.shape
    Whole(0, min(height, width)).check(padding=padding)
    Flag().check(flip=flip)
    key_y, key_x, key_flip = jax.random.split(key, 3)
    y = jax.random.randint(key_y, (batch,), 0, 2 * padding + 1)
    x = jax.random.randint(key_x, (batch,), 0, 2 * padding + 1)
    mirror = jax.random.bernoulli(key_flip, 0.5, (batch,)) & flip

    columns = jnp.arange(width)
    columns = x[:, None] + jnp.where(mirror[:, None], columns[::-1], columns)
    rows = y[:, None] + jnp.arange(height)
    padded = jnp.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    # One row gather, one column gather; all indices are in bounds.
    rows = padded.at[jnp.arange(batch)[:, None], rows].get(mode='promise_in_bounds')
    take = jax.vmap(lambda image, column: image.at[:, column].get(mode='promise_in_bounds'))
    return take(rows, columns)
