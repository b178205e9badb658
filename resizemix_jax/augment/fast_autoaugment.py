"""Fast AutoAugment (Lim et al., 2019): one of some 500 published pairs of operations an image."""

from collections.abc import Sequence

import numpy as np
from jax import Array

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment._images import augmentation


@augmentation
def fast_autoaugment(
    key: Array,
    images: Array | np.ndarray,
    *,
    policy: str = 'fast_autoaugment_cifar10',
    per: str = 'sample',
    fill: int | Sequence[int] = 0,
    interpolation: str = 'nearest',
) -> Array:
    """Applies a published policy.

    Law: as `autoaugment`, with a level in [0, 1] as the magnitude (`_magnitudes.level`); `fill` is
    black and Cutout's square (125, 123, 114).

    Source: arXiv:1905.00397; kakaobrain/fast-autoaugment. 'fast_autoaugment_cifar10' has 493 rows (its
    authors use it for CIFAR-100, too), '_imagenet' 498, '_svhn' 497, '_arsaug_early' 35 older ones.
    There the centre of Cutout is fractional, and at the upper and left border the square is moved instead of
    clipped. Place: before the crop and flip, and Cutout 16 after normalisation.

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        policy: a file of augment/policies, or the path of one.
        per: 'sample', or 'batch' for one draw for the whole batch.
        fill: colour of the pixels that a warp uncovers: a value, or one for each channel; 0..255.
        interpolation: of the warps, 'nearest' or 'bilinear'.

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: an unknown policy, per or interpolation, or a fill out of range.
    """
    return policies.subpolicy(
        key, images, policy, magnitudes.level, per=per, fill=fill, cutout_fill=(125, 123, 114),
        interpolation=interpolation,
    )  # fmt: skip
