import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.detection.roi_align import level_of, roi_align
from tests.reference.detection_cases import random_boxes

STRIDES = 4, 8
ALIGN = jax.jit(roi_align, static_argnames=('strides', 'bins', 'ratio', 'aligned', 'largest', 'at_once'))


def written_out(levels, boxes, level, *, strides=STRIDES, bins=7, ratio=0, aligned=True):
    """roi_align of torchvision and mmcv, one sample at a time."""
    results = np.zeros((len(boxes), bins, bins, levels[0].shape[-1]))
    for r, (box, k) in enumerate(zip(boxes, level, strict=True)):
        features = np.asarray(levels[k], np.float64)
        x0, y0, x1, y1 = np.float32(box) / np.float32(strides[k]) - np.float32(0.5 if aligned else 0)
        sides = (y1 - y0, x1 - x0) if aligned else (max(y1 - y0, 1), max(x1 - x0, 1))
        parts = [np.float32(side) / np.float32(bins) for side in sides]
        counts = [ratio or int(np.ceil(part)) for part in parts]
        for i in range(bins):
            for j in range(bins):
                total = 0.0
                for a in range(counts[0]):
                    for b in range(counts[1]):
                        y = y0 + i * parts[0] + (a + 0.5) * parts[0] / counts[0]
                        x = x0 + j * parts[1] + (b + 0.5) * parts[1] / counts[1]
                        total = total + bilinear(features, y, x)
                results[r, i, j] = total / max(counts[0] * counts[1], 1)
    return results


def bilinear(features, y, x):
    height, width, _ = features.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    (low_y, high_y, part_y), (low_x, high_x, part_x) = ends(y, height), ends(x, width)
    above = (1 - part_x) * features[low_y, low_x] + part_x * features[low_y, high_x]
    below = (1 - part_x) * features[high_y, low_x] + part_x * features[high_y, high_x]
    return (1 - part_y) * above + part_y * below


def ends(place, cells):
    place = max(place, 0)
    low = int(place)
    return (cells - 1, cells - 1, 0.0) if low >= cells - 1 else (low, low + 1, place - low)


@pytest.fixture(scope='module')
def case():
    """Two levels of an image of 72 x 104, and boxes inside, empty, beyond it, and of all of it."""
    rng = np.random.RandomState(0)
    levels = [jnp.asarray(rng.standard_normal((72 // s, 104 // s, 3)), jnp.float32) for s in STRIDES]
    boxes = np.concatenate(
        [
            random_boxes(rng, 8, side=72)[0],
            random_boxes(rng, 2, 'grid', side=72)[0],
            np.float32(
                [(0, 0, 104, 72), (-30, -30, 30, 10), (95, 60, 140, 90), (-80, -80, -40, -40), (4, 4, 4, 9)]
            ),
        ]
    )
    return levels, boxes, jnp.asarray(np.arange(len(boxes)) % 2, jnp.int32)


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('ratio', [0, 1, 2, 3])
def test_it_is_the_mean_of_bilinear_samples(case, ratio, aligned):
    wanted = written_out(*case, ratio=ratio, aligned=aligned)
    found = ALIGN(*case, strides=STRIDES, ratio=ratio, aligned=aligned)
    np.testing.assert_allclose(found, wanted, atol=6e-5)


def test_another_number_of_bins(case):
    np.testing.assert_allclose(
        ALIGN(*case, strides=STRIDES, bins=3, largest=10), written_out(*case, bins=3), atol=6e-5
    )


def test_sides_of_a_whole_number_of_cells_a_bin():
    """Compiled, side / 7 is a product with 1 / 7, of which the ceiling is one too many for some of these."""
    rng = np.random.RandomState(0)
    features = jnp.asarray(rng.standard_normal((60, 60, 1)), jnp.float32)
    counts = np.arange(1, 9)
    boxes = np.stack([np.full(8, 3), np.full(8, 2), 3 + 7 * counts, 2 + 7 * counts[::-1]], 1).astype(
        np.float32
    )
    level = jnp.zeros(8, jnp.int32)
    found = ALIGN([features], boxes, level, strides=(1,))
    wanted = written_out([features], boxes, level, strides=(1,))
    np.testing.assert_allclose(found, wanted, atol=6e-5)


def test_a_part_of_more_cells_than_the_largest_takes_fewer_samples(case):
    """Along the axis that is too long, and there alone."""
    levels, _, _ = case
    boxes = np.float32([(2, 3, 100, 20), (2, 3, 30, 20)])  # 3.5 and 1 cells wide a bin, .6 high
    level = jnp.zeros(2, jnp.int32)
    found = ALIGN(levels, boxes, level, strides=STRIDES, largest=3)
    exact = ALIGN(levels, boxes, level, strides=STRIDES)
    ends = 2 / 4 - 0.5 + np.arange(8) * 98 / 4 / 7
    x = ends[:-1, None] + np.array([0.25, 0.75]) * 98 / 4 / 7
    y = 3 / 4 - 0.5 + (np.arange(7) + 0.5) * 17 / 4 / 7
    wanted = [[np.mean([bilinear(np.asarray(levels[0]), b, a) for a in two], 0) for two in x] for b in y]
    np.testing.assert_allclose(found[0], wanted, atol=6e-5)
    np.testing.assert_array_equal(found[1], exact[1])
    assert abs(found[0] - exact[0]).max() > 0.01


@pytest.mark.parametrize('at_once', [1, 4, 100])
def test_how_many_boxes_are_computed_at_once_changes_nothing(case, at_once):
    for ratio in (0, 2):
        np.testing.assert_allclose(
            ALIGN(*case, strides=STRIDES, ratio=ratio, at_once=at_once),
            ALIGN(*case, strides=STRIDES, ratio=ratio), atol=1e-5,
        )  # fmt: skip


def test_gradients_go_to_the_features_and_not_to_the_boxes(case):
    levels, boxes, level = case
    weights = jnp.asarray(np.random.RandomState(1).standard_normal((len(boxes), 7, 7, 3)), jnp.float32)

    @jax.jit
    def total(levels, boxes):
        return jnp.sum(weights * roi_align(levels, boxes, level, strides=STRIDES))

    of_levels, of_boxes = jax.grad(total, (0, 1))(levels, jnp.asarray(boxes))
    assert not of_boxes.any()
    # The function is linear in the features, so its gradient gives its values.
    value = sum(jnp.vdot(a, b) for a, b in zip(of_levels, levels, strict=True))
    np.testing.assert_allclose(value, total(levels, boxes), rtol=1e-4)
    other = [jnp.asarray(np.random.RandomState(2).standard_normal(f.shape), jnp.float32) for f in levels]
    value = sum(jnp.vdot(a, b) for a, b in zip(of_levels, other, strict=True))
    np.testing.assert_allclose(value, total(other, boxes), rtol=1e-4)


def test_features_of_half_precision_are_summed_in_float32(case):
    levels, boxes, level = case
    half = [f.astype(jnp.bfloat16) for f in levels]
    found = ALIGN(half, boxes, level, strides=STRIDES)
    assert found.dtype == jnp.bfloat16
    exact = ALIGN([f.astype(jnp.float32) for f in half], boxes, level, strides=STRIDES)
    np.testing.assert_array_equal(found, exact.astype(jnp.bfloat16))


def test_levels_by_the_size_of_a_box():
    sides = jnp.array([0, 1, 56, 111.9, 112, 223.9, 224, 447.9, 448, 896, 5000])
    boxes = jnp.stack([jnp.zeros(11), jnp.zeros(11), sides, sides], axis=1)
    assert jax.jit(level_of)(boxes).tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3]
    wide = jnp.array([[0, 0, 448, 112.0], [9, 9, 4, 14]])  # sqrt(w h) = 224, and one that is inside out
    assert level_of(wide).tolist() == [2, 0]
    assert level_of(wide, levels=2).tolist() == [1, 0]


def test_numbers_out_of_range(case):
    with pytest.raises(ValueError, match='2 levels need as many strides; got 1'):
        roi_align(*case, strides=(4,))
    with pytest.raises(ValueError, match='ratio=-1 must be'):
        roi_align(*case, strides=STRIDES, ratio=-1)
