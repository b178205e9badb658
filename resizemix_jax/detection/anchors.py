"""Anchors: the boxes that a network's offsets are from, one set for every cell of its feature maps.

They depend on shapes alone, so they are NumPy arrays, made in float64 and rounded once. A feature map's
anchors are in the order of its cells, row by row, and within a cell in the order that is given here; the
network's outputs [h, w, A * n] reshaped to [h * w * A, n] have the same.
"""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import Array

from resizemix_jax.ranges import POSITIVE

FPN_STRIDES = (4, 8, 16, 32, 64)
SSD_STRIDES = (8, 16, 32, 64, 100, 300)
SSD_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
# Level k has squares of the sides s_k and sqrt(s_k s_(k + 1)). At 300 pixels, by MMDetection's rule for
# basesize_ratio_range (0.15, 0.9), which its COCO configuration has, and (0.2, 0.9), of VOC.
SSD_SIDES_COCO = (21, 45, 99, 153, 207, 261, 315)
SSD_SIDES_VOC = (30, 60, 111, 162, 213, 264, 315)


def cells(height: int, width: int, strides: Sequence[int]) -> list[tuple[int, int]]:
    """(rows, columns) of the feature maps of an image: ceil(side / stride), as padded convolutions give.

    Those of SSD at 300 pixels are not: 38, 19, 10, 5, 3, 1 (its last two layers are not padded).
    """
    return [(-(-height // stride), -(-width // stride)) for stride in strides]


def fpn_anchors(
    shapes: Sequence[tuple[int, int]],
    *,
    strides: Sequence[int] = FPN_STRIDES,
    scale: float = 8,
    ratios: Sequence[float] = (0.5, 1, 2),
) -> list[np.ndarray]:
    """Faster R-CNN's anchors, one float32 [h * w * A, 4] a level.

    Law: at the cell (i, j) the centre is (j, i) * stride, its upper left corner, not its middle; for each
    ratio r = height / width the sides are scale * stride / sqrt(r) and scale * stride * sqrt(r).
    At 800 x 1344 there are 201,600 + 50,400 + 12,600 + 3,150 + 819 = 268,569.

    Source: AnchorGenerator of MMDetection. torchvision rounds the corners to whole pixels.

    Args:
        shapes: (rows, columns) of each level, see `cells`.
        strides: of the levels.
        scale: side of the square anchor, in strides.
        ratios: heights over widths.
    """
    POSITIVE.check(scale=scale)
    root = np.sqrt(np.asarray(ratios, float))
    levels = []
    for shape, stride in zip(shapes, strides, strict=True):
        sides = scale * stride * np.stack([1 / root, root], axis=-1)
        levels.append(_repeated(shape, stride, sides, offset=0.0))
    return levels


def ssd_anchors(
    shapes: Sequence[tuple[int, int]] = ((38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1)),
    *,
    strides: Sequence[int] = SSD_STRIDES,
    sides: Sequence[float] = SSD_SIDES_COCO,
    ratios: Sequence[Sequence[float]] = SSD_RATIOS,
) -> list[np.ndarray]:
    """SSD's anchors, one float32 [h * w * A, 4] a level: 8,732 for SSD300, 4 or 6 a cell.

    Law: at the cell (i, j) the centre is (j + 1/2, i + 1/2) * stride. The sides, with s = sides[level] and
    s' = sides[level + 1]: the squares s and sqrt(s s'); then for each r of ratios[level] the wide box
    (s sqrt(r), s / sqrt(r)) and the tall one. Not clipped to the image.

    Source: SSDAnchorGenerator of MMDetection; torchvision's DefaultBoxGenerator with clip=False.

    Args:
        shapes: (rows, columns) of each level.
        strides: of the levels.
        sides: of the square anchors, one more than there are levels.
        ratios: of each level, numbers > 1.

    Raises:
        ValueError: another number of sides.
    """
    if len(sides) != len(shapes) + 1:
        raise ValueError(f'{len(shapes)} levels need {len(shapes) + 1} sides; got {len(sides)}')
    levels = []
    for k, (shape, stride) in enumerate(zip(shapes, strides, strict=True)):
        side, root = sides[k], np.sqrt(np.asarray(ratios[k], float))
        pairs = [(side, side), (np.sqrt(side * sides[k + 1]),) * 2]
        for r in root:
            pairs += [(side * r, side / r), (side / r, side * r)]
        levels.append(_repeated(shape, stride, np.array(pairs), offset=0.5))
    return levels


def inside(
    shapes: Sequence[tuple[int, int]],
    padded: Array,
    *,
    strides: Sequence[int] = FPN_STRIDES,
    per_cell: int = 3,
) -> list[Array]:
    """Which anchors are of cells of the image's own padded size, one bool [h * w * A] a level.

    A batch's feature maps are of its largest image. MMDetection pads an image to a multiple of 32 itself,
    and counts no anchor whose cell begins beyond: row >= ceil(h / stride) or column >= ceil(w / stride).

    Args:
        shapes: (rows, columns) of each level.
        padded: (h, w) of the image, padded to its own multiple of 32; may be traced.
        strides: of the levels.
        per_cell: anchors in a cell.
    """
    levels = []
    for (rows, columns), stride in zip(shapes, strides, strict=True):
        row = jnp.arange(rows) < jnp.ceil(padded[0] / stride)
        column = jnp.arange(columns) < jnp.ceil(padded[1] / stride)
        cell = row[:, None] & column
        levels.append(jnp.broadcast_to(cell[..., None], (rows, columns, per_cell)).reshape(-1))
    return levels


def _repeated(shape, stride, sides, offset):
    """Boxes of `sides` ((w, h), [A, 2]) about every cell's centre, float32 [h * w * A, 4]."""
    y, x = ((np.arange(n) + offset) * stride for n in shape)
    centre = np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)[:, :, None]
    boxes = np.concatenate([centre - sides / 2, centre + sides / 2], axis=-1)
    return boxes.reshape(-1, 4).astype(np.float32)
