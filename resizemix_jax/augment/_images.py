"""What every augmentation takes: checked here, before the law of a member sees it."""

import functools
from collections.abc import Callable
from typing import TypeVar, cast

import jax.numpy as jnp
import numpy as np
from jax import Array

Member = TypeVar('Member', bound=Callable)


def augmentation(function: Member) -> Member:
    """Decorates a member of the family: its images become a JAX array and are checked (`check_images`).

    Args:
        function: `(key, images, *, ...) -> images`, see the contract of `resizemix_jax.augment`.
    """

    @functools.wraps(function)
    def checked(key, images, **keywords):
        return function(key, check_images(images), **keywords)

    return cast(Member, checked)


def check_images(images: Array | np.ndarray) -> Array:
    """Images as a JAX array; raises ValueError unless they are uint8 [B, H, W, C]."""
    images = jnp.asarray(images)
    if images.dtype != jnp.uint8 or images.ndim != 4:
        raise ValueError(
            f'images must be uint8 [B, H, W, C]; got {images.dtype}{list(images.shape)}. Augment them before '
            '`normalize`, or take floats in [0, 1] back with jnp.round(255 * images).astype(jnp.uint8)'
        )
    return images
