"""A small SSD for images of 64 x 64 pixels, which a CPU trains in minutes."""

from resizemix_jax.detectors._ssd import SSD
from resizemix_jax.models.resnet import backbone
from resizemix_jax.ranges import Choice

NEEDS = ('dtype', 'batch_axis', 'remat')
TINY = (dict(depth=14, width=4),)
SIZE = 64  # pixels


def ssd64(
    num_classes, *, depth=14, width=16, backbone_norm='train', dtype='float32', batch_axis='', remat=False
):
    """SSD on stages 2 to 4 of a ResNet: 8 x 8, 4 x 4 and 2 x 2 cells of four anchors, 336 in all.

    The anchors of a level are squares of s and sqrt(s s'), and s wide or tall by 2 to 1, with s = 10, 18, 28
    pixels and s' the next of 10, 18, 28, 44.

    Args:
        num_classes: C, without the background.
        depth, width: of the ResNet, see `models.resnet`.
        backbone_norm: 'train' or 'eval', see `ssd300`.
        dtype, batch_axis, remat: see `resizemix_jax.models`.

    Returns:
        `_ssd.SSD`.

    Raises:
        ValueError: as `ssd300`.
    """
    Choice('eval', 'train').check(backbone_norm=backbone_norm)
    return SSD(
        num_classes=num_classes,
        backbone=backbone(depth, width, dtype=dtype, batch_axis=batch_axis, remat=remat),
        stages=(2, 3, 4),
        smooth=0,
        extras=(),
        extras_norm=False,
        scale=0.0,
        shapes=((8, 8), (4, 4), (2, 2)),
        strides=(8, 16, 32),
        sides=(10, 18, 28, 44),
        ratios=((2,),) * 3,
        norm=backbone_norm,
        dtype=dtype,
        batch_axis=batch_axis,
    )
