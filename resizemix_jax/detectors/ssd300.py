"""SSD300 (Liu et al., 2016) on a ResNet, for Table 5."""

from resizemix_jax.detection.anchors import SSD_RATIOS, SSD_SIDES_COCO, SSD_SIDES_VOC, SSD_STRIDES
from resizemix_jax.detectors._ssd import SSD
from resizemix_jax.models.resnet import backbone
from resizemix_jax.ranges import Choice

NEEDS = ('dtype', 'batch_axis', 'remat')
TINY = tuple(dict(variant=name, depth=14, width=4) for name in ('c3c5', 'c3c4', 'nvidia'))
SIZE = 300  # pixels
SHAPES = ((38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1))
DOWN, VALID = (2, 1), (1, 0)  # stride and padding of an extra: to half, or two cells fewer
VARIANTS = {
    'c3c5': dict(
        stages=(2, 3, 4), smooth=512, extras=((128, 256, *DOWN), (128, 256, *DOWN), (128, 256, *VALID))
    ),
    'c3c4': dict(
        stages=(2, 3),
        smooth=0,
        extras=((256, 512, *DOWN), (128, 256, *DOWN), (128, 256, *VALID), (128, 256, *VALID)),
    ),
    'nvidia': dict(
        stages=(3,),
        smooth=0,
        extras=(
            (256, 512, *DOWN), (256, 512, *DOWN), (128, 256, *DOWN), (128, 256, *VALID), (128, 256, *VALID)
        ),
    ),
}  # fmt: skip
SIDES = {'coco': SSD_SIDES_COCO, 'voc': SSD_SIDES_VOC}


def ssd300(
    num_classes,
    *,
    variant='c3c5',
    depth=50,
    width=64,
    anchors='coco',
    l2_norm=False,
    backbone_norm='eval',
    dtype='float32',
    batch_axis='',
    remat=False,
):
    """SSD for images of 300 x 300 pixels: 8,732 anchors at 38, 19, 10, 5, 3 and 1 cells.

    The paper does not say how it put a ResNet into MMDetection's SSD300, which has VGG alone. The variants:

        'c3c5'    stages 2, 3 and, after a 3 x 3 convolution to 512 channels, 4; then three extras. At width
                  64 the levels have the channels of VGG's SSD: 512, 1024, 512, 256, 256, 256.
        'c3c4'    stages 2 and 3; then four extras. The same channels; stage 4 is not there.
        'nvidia'  stage 3 without its stride, 38 x 38 cells of 1024 channels; then five extras with BatchNorm,
                  as the SSD of NVIDIA's DeepLearningExamples, whose anchors, losses and recipe differ too.

    Heads and extras start Xavier-uniform with biases of 0. There is no BatchNorm in heads, nor, but for
    'nvidia', in extras.

    Args:
        num_classes: C, without the background.
        variant: one of VARIANTS.
        depth, width: of the ResNet, see `models.resnet`.
        anchors: 'coco' or 'voc', the sides of MMDetection's configurations for these sets.
        l2_norm: the first level is L2-normalised with a learned scale that starts at 20, as VGG's is.
        backbone_norm: 'eval': the backbone's BatchNorm uses its running statistics and leaves them, as
            MMDetection's ResNet does by default; its scales and biases train. 'train': as in classification.
        dtype, batch_axis, remat: see `resizemix_jax.models`.

    Returns:
        `_ssd.SSD`.

    Raises:
        ValueError: an unknown name, or a depth or width out of range.
    """
    Choice(*VARIANTS).check(variant=variant)
    Choice(*SIDES).check(anchors=anchors)
    Choice('eval', 'train').check(backbone_norm=backbone_norm)
    parts = VARIANTS[variant]
    reach = dict(stages=parts['stages'][-1], strides=(1, 2, 1) if variant == 'nvidia' else (1, 2, 2, 2))
    return SSD(
        num_classes=num_classes,
        backbone=backbone(depth, width, **reach, dtype=dtype, batch_axis=batch_axis, remat=remat),
        **parts,
        extras_norm=variant == 'nvidia',
        scale=20.0 if l2_norm else 0.0,
        shapes=SHAPES,
        strides=SSD_STRIDES,
        sides=SIDES[anchors],
        ratios=SSD_RATIOS,
        norm=backbone_norm,
        dtype=dtype,
        batch_axis=batch_axis,
    )
