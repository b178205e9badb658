import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.detection.boxes import HEAD_STDS, LARGEST_LOG, area, clip, decode, encode, flip, iou
from tests.reference.detection_cases import random_boxes


@pytest.fixture
def boxes():
    return random_boxes(np.random.RandomState(0), 40)[0]


def test_overlaps_by_hand():
    a = jnp.array([[0, 0, 10, 10], [0, 0, 10, 10.0], [5, 5, 5, 5], [7, 7, 7, 7]])
    b = jnp.array([[5, 0, 15, 10], [0, 0, 10, 10.0], [5, 5, 5, 5]])
    expected = [[1 / 3, 1, 0], [1 / 3, 1, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(iou(a, b), expected, rtol=1e-7)
    np.testing.assert_array_equal(area(a), [100, 100, 0, 0])
    np.testing.assert_array_equal(jax.vmap(iou)(a[None], b[None])[0], iou(a, b))


def test_borders():
    boxes = jnp.array([[-5, -5, 200, 200], [10, 20, 30, 40.0]])
    np.testing.assert_array_equal(clip(boxes, (50, 100)), [[0, 0, 100, 50], [10, 20, 30, 40]])
    np.testing.assert_array_equal(jax.jit(clip)(boxes, jnp.array([50, 100.0])), clip(boxes, (50, 100)))


def test_a_flip_mirrors_and_a_second_one_restores(boxes):
    np.testing.assert_array_equal(flip(jnp.array([[1, 2, 5, 7.0]]), 20), [[15, 2, 19, 7]])
    np.testing.assert_allclose(flip(flip(boxes, 100.0), 100.0), boxes, atol=1e-5)


@pytest.mark.parametrize('stds', [(1, 1, 1, 1), HEAD_STDS])
def test_offsets_are_those_of_mmdetection(boxes, stds):
    """bbox2delta and delta2bbox, written out for one box at a time in float64."""
    rng = np.random.RandomState(1)
    anchors = random_boxes(rng, 40)[0]
    offsets = np.float32(rng.standard_normal((40, 4)) * 3)
    offsets[:2, 2:] = 40, -40
    encoded, decoded = encode(boxes, anchors, stds=stds), decode(offsets, anchors, stds=stds)
    for k in range(40):
        px, py, gx, gy = ((b[k, i] + b[k, i + 2]) / 2.0 for b in (anchors, boxes) for i in (0, 1))
        pw, ph, gw, gh = (np.float64(b[k, i + 2] - b[k, i]) for b in (anchors, boxes) for i in (0, 1))
        wanted = np.array([(gx - px) / pw, (gy - py) / ph, np.log(gw / pw), np.log(gh / ph)]) / stds
        np.testing.assert_allclose(encoded[k], wanted, atol=2e-5, rtol=1e-5)
        dx, dy, dw, dh = offsets[k].astype(np.float64) * stds
        dw, dh = np.clip((dw, dh), -LARGEST_LOG, LARGEST_LOG)
        x, y, w, h = px + pw * dx, py + ph * dy, pw * np.exp(dw), ph * np.exp(dh)
        wanted = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
        np.testing.assert_allclose(decoded[k], wanted, rtol=1e-5, atol=9e-5)


def test_decoding_inverts_encoding(boxes):
    anchors = random_boxes(np.random.RandomState(2), 40)[0]
    np.testing.assert_allclose(
        decode(encode(boxes, anchors, stds=HEAD_STDS), anchors, stds=HEAD_STDS), boxes, atol=9e-5
    )


def test_padding_has_finite_offsets_and_gradients():
    anchors = jnp.array([[0, 0, 8, 8], [0, 0, 8, 8], [3, 3, 3, 3.0]])
    boxes = jnp.array([[0, 0, 0, 0], [9, 9, 4, 4], [0, 0, 8, 8.0]])
    value, gradient = jax.value_and_grad(lambda b: encode(b, anchors).sum())(boxes)
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_a_box_for_each_class():
    anchors, offsets = jnp.array([[[0, 0, 10, 10.0]], [[5, 5, 9, 9]]]), jnp.zeros((2, 3, 4), jnp.bfloat16)
    decoded = decode(offsets, anchors)
    assert decoded.shape == (2, 3, 4) and decoded.dtype == jnp.float32
    np.testing.assert_array_equal(decoded, jnp.broadcast_to(anchors, (2, 3, 4)))
