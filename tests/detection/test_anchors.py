import math

import numpy as np
import pytest

from resizemix_jax.detection import anchors
from resizemix_jax.detection.anchors import FPN_STRIDES, cells, fpn_anchors, inside, ssd_anchors


@pytest.mark.parametrize(
    ('size', 'counts'),
    [
        ((800, 1344), [201_600, 50_400, 12_600, 3_150, 819]),
        ((608, 1024), [116_736, 29_184, 7_296, 1_824, 480]),
    ],
)
def test_the_number_of_anchors_of_faster_rcnn(size, counts):
    levels = fpn_anchors(cells(*size, FPN_STRIDES))
    assert [len(level) for level in levels] == counts
    assert all(level.dtype == np.float32 for level in levels)


def test_the_anchors_of_faster_rcnn_are_those_of_mmdetection():
    """Written out: cell by cell, row by row; ratio by ratio within."""
    shapes = [(3, 4), (2, 2)]
    for level, (rows, columns), stride in zip(
        fpn_anchors(shapes, strides=(4, 8)), shapes, (4, 8), strict=True
    ):
        wanted = []
        for i in range(rows):
            for j in range(columns):
                for ratio in (0.5, 1, 2):
                    w, h = 8 * stride / math.sqrt(ratio), 8 * stride * math.sqrt(ratio)
                    x, y = j * stride, i * stride
                    wanted.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        np.testing.assert_allclose(level, wanted, rtol=1e-7)


@pytest.mark.parametrize('sides', [anchors.SSD_SIDES_COCO, anchors.SSD_SIDES_VOC])
def test_the_sides_of_ssd_are_those_of_mmdetections_rule(sides):
    least, first = ((15, (7, 15)), (20, (10, 20)))[sides is anchors.SSD_SIDES_VOC]
    step = (90 - least) // 4
    low = [int(300 * ratio / 100) for ratio in range(least, 91, step)]
    high = [int(300 * (ratio + step) / 100) for ratio in range(least, 91, step)]
    low, high = [int(300 * first[0] / 100), *low], [int(300 * first[1] / 100), *high]
    assert (*low, high[-1]) == sides and tuple(high) == sides[1:]


def test_the_anchors_of_ssd_are_those_of_mmdetection():
    levels = ssd_anchors()
    assert [len(level) for level in levels] == [5776, 2166, 600, 150, 36, 4] and sum(map(len, levels)) == 8732
    np.testing.assert_allclose(levels[0][0], (-6.5, -6.5, 14.5, 14.5))
    np.testing.assert_allclose(levels[0][1], (-11.370, -11.370, 19.370, 19.370), atol=1e-3)
    sides = anchors.SSD_SIDES_COCO
    for k, (n, stride, ratios) in enumerate(
        zip((38, 19, 10, 5, 3, 1), anchors.SSD_STRIDES, anchors.SSD_RATIOS, strict=True)
    ):
        # MMDetection's ratios are heights over widths: 1, then 1 / r and r of each.
        shapes = [(sides[k], 1), (math.sqrt(sides[k] * sides[k + 1]), 1)]
        shapes += [(sides[k], ratio) for r in ratios for ratio in (1 / r, r)]
        i, j = divmod(n * n - 1, n)  # the last cell
        wanted = []
        for side, ratio in shapes:
            w, h, x, y = (
                side / math.sqrt(ratio),
                side * math.sqrt(ratio),
                (j + 0.5) * stride,
                (i + 0.5) * stride,
            )
            wanted.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
        np.testing.assert_allclose(levels[k][-len(shapes) :], wanted, rtol=1e-6)


def test_anchors_of_a_small_network():
    levels = ssd_anchors(
        [(8, 8), (4, 4), (2, 2)], strides=(8, 16, 32), sides=(10, 18, 28, 44), ratios=((2,),) * 3
    )
    assert sum(map(len, levels)) == 336
    with pytest.raises(ValueError, match='3 levels need 4 sides; got 3'):
        ssd_anchors([(8, 8), (4, 4), (2, 2)], strides=(8, 16, 32), sides=(10, 18, 28), ratios=((2,),) * 3)


def test_anchors_count_up_to_the_images_own_padding():
    shapes = cells(128, 192, FPN_STRIDES)
    for padded in ((128, 192), (96, 160), (32, 32)):
        for valid, (rows, columns), stride in zip(inside(shapes, padded), shapes, FPN_STRIDES, strict=True):
            wanted = [
                i * stride < padded[0] and j * stride < padded[1]
                for i in range(rows) for j in range(columns) for _ in range(3)
            ]  # fmt: skip
            np.testing.assert_array_equal(valid, wanted)
