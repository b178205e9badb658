"""DADA (Li et al., 2020): one of 25 published pairs of operations an image."""

from collections.abc import Sequence

import numpy as np
from jax import Array

from resizemix_jax.augment._images import augmentation
from resizemix_jax.augment.fast_autoaugment import fast_autoaugment


@augmentation
def dada(
    key: Array,
    images: Array | np.ndarray,
    *,
    policy: str = 'dada_cifar10',
    per: str = 'sample',
    fill: int | Sequence[int] = 0,
    interpolation: str = 'nearest',
) -> Array:
    """Applies a published policy.

    Law: that of `fast_autoaugment`; only the policies and the place differ.

    Source: arXiv:2003.03780; VDIGPKU/DADA: 'dada_cifar10', 'dada_cifar100', 'dada_svhn', 'dada_imagenet'.
    Their levels lie near .5, where shears, translations and rotations are the identity. Place: after the crop
    and flip, and Cutout 16 after normalisation.

    Args, Returns, Raises: see `fast_autoaugment`.
    """
    return fast_autoaugment(
        key, images, policy=policy, per=per, fill=fill, interpolation=interpolation
    )  # fmt: skip
