"""AutoAugment (Cubuk et al., 2019): one of 25 published pairs of operations an image."""

from collections.abc import Sequence

import numpy as np
from jax import Array

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment._images import augmentation
from resizemix_jax.ranges import Choice

SCALES = ('tf', 'torchvision', 'tpu')


@augmentation
def autoaugment(
    key: Array,
    images: Array | np.ndarray,
    *,
    policy: str = 'autoaugment_cifar10',
    scale: str = 'tf',
    per: str = 'sample',
    fill: int | Sequence[int] | str = 'scale',
    interpolation: str = 'nearest',
) -> Array:
    """Applies a published policy.

    Law:
        row       uniform over the policy's rows, independently per image.
        operation the row's two in order, each with its own probability (`_policy.apply_step`).
        magnitude an index 0..9, read by `scale`: 'tf' as in the original training code, 'torchvision' as
                  torchvision's 10 bins, 'tpu' as in the EfficientNet code, with its Contrast and Sharpness
                  (`_ops.apply`, variant='tpu').
        fill      black; for 'tpu' gray (128).

    Source: arXiv:1805.09501. Policies: 'autoaugment_cifar10' is the paper's list of 25, from which public
    training code in TensorFlow does not draw: that is 'autoaugment_cifar10_tf95' (95 rows, without five of
    the paper's). 'autoaugment_imagenet', 'autoaugment_svhn' (25 each), and 'autoaugment_imagenet_tpu_v0',
    another policy for ImageNet. CIFAR-100 takes CIFAR-10's. The original fills uncovered pixels with
    the mean, here they are black. Place: before the crop and flip, and Cutout 16 after normalisation.

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        policy: a file of augment/policies, or the path of one.
        scale: one of SCALES.
        per: 'sample', or 'batch' for one draw for the whole batch.
        fill: 'scale' for the fill of the scale; or a value, or one for each channel, 0..255.
        interpolation: of the warps, 'nearest' or 'bilinear'.

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: an unknown policy, scale, per or interpolation, or a fill out of range.
    """
    Choice(*SCALES).check(scale=scale)

    def reading(op, index, height, width):
        if scale == 'torchvision':
            return magnitudes.torchvision(op, index, height, width, bins=10)
        if scale == 'tpu':
            return magnitudes.tpu(op, index, height, width, translate=250, cutout=100)
        return magnitudes.tf(op, index, height, width)

    if fill == 'scale':
        fill = 128 if scale == 'tpu' else 0
    return policies.subpolicy(
        key, images, policy, reading, per=per, fill=fill, cutout_fill=(125, 122, 113),
        interpolation=interpolation, variant='tpu' if scale == 'tpu' else 'pillow',
    )  # fmt: skip
