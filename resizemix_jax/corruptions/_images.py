"""What every corruption takes and gives: checked and converted here, around the law of a member."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.ranges import Whole

Member = TypeVar('Member', bound=Callable)
SMALL = 64  # pixels of the shorter side, below which the numbers are those of CIFAR-10-C
SEVERITY = Whole(1, 5)
SLACK = 1e-3  # of a level: what float32 may lose, so that 255 (k / 255) is still k when it is rounded down


def corruption(function: Member) -> Member:
    """Decorates a member: it is given float32 images in [0, 1], and what it gives is clipped to them."""

    @functools.wraps(function)
    def checked(key, images, *, severity=1):
        SEVERITY.check(severity=severity)
        x = check_images(images).astype(jnp.float32) / 255
        return levels(function(key, x, severity=severity)).astype(jnp.uint8)

    return cast(Member, checked)


def levels(x: Array) -> Array:
    """floor(255 x) of x in [0, 1], clipped: float32."""
    return jnp.floor(jnp.clip(x, 0, 1) * 255 + SLACK)


def check_images(images: Array | np.ndarray) -> Array:
    """Images as a JAX array; raises ValueError unless they are uint8 [B, H, W, C] with 1 or 3 channels."""
    images = jnp.asarray(images)
    if images.dtype != jnp.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3):
        raise ValueError(
            f'images must be uint8 [B, H, W, C] with 1 or 3 channels; got {images.dtype}{list(images.shape)}'
            '. Corrupt them before they are normalised'
        )
    return images


def numbers(x: Array, severity: int, small: Sequence, large: Sequence) -> Any:
    """The numbers of a severity: `small` are those of CIFAR-10-C, `large` those of ImageNet-C."""
    return (small if min(x.shape[1:3]) < SMALL else large)[severity - 1]


def gray(x: Array) -> Array:
    """The luma 0.299 R + 0.587 G + 0.114 B, [B, H, W, 1]; of one channel itself."""
    if x.shape[3] == 1:
        return x
    return jnp.sum(x * jnp.asarray((0.299, 0.587, 0.114), x.dtype), axis=3, keepdims=True)
