import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.detection.nms import nms, suppress
from tests.reference.detection_cases import FIND, KINDS, NMS, THRESHOLDS, random_boxes

CORNERS = (np.maximum, slice(0, 2)), (np.minimum, slice(2, 4))


def greedy(boxes, scores, valid, threshold):
    """The definition: from the best box on, what no kept box overlaps by more."""
    low, high = (ends(boxes[:, None, part], boxes[None, :, part]) for ends, part in CORNERS)
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)
    overlaps = shared / np.maximum(areas[:, None] + areas - shared, np.float32(1e-6))
    kept = []
    for k in np.argsort(-scores, kind='stable'):
        if valid[k] and not any(overlaps[j, k] > np.float32(threshold) for j in kept):
            kept.append(k)
    return kept


@pytest.mark.parametrize('kind', KINDS)
def test_nms_keeps_what_the_definition_keeps(kind):
    rng = np.random.RandomState(0)
    for threshold in THRESHOLDS:
        for _ in range(5):
            boxes, scores = random_boxes(rng, 64, kind)
            valid = rng.rand(64) < 0.9
            index, kept = NMS(boxes, scores, valid, threshold=threshold, size=64)
            assert index[kept].tolist() == greedy(boxes, scores, valid, threshold)


def test_the_longest_chain_of_suppressions():
    """Each box suppresses the next one, so every second one is kept, and each is settled a turn later."""
    count = 400
    left = np.arange(count, dtype=np.float32)
    boxes = np.stack([left, np.zeros(count), left + 2.5, np.ones(count)], axis=1).astype(np.float32)
    keep = jax.jit(lambda b: suppress(b, jnp.ones(count, bool), threshold=0.3))(boxes)
    np.testing.assert_array_equal(keep, np.arange(count) % 2 == 0)


def test_the_number_of_results_is_static():
    boxes, scores = random_boxes(np.random.RandomState(0), 20)
    index, kept = NMS(boxes, scores, np.ones(20), threshold=0.5, size=50)
    few, all_ = NMS(boxes, scores, np.ones(20), threshold=0.5, size=3)
    assert index.shape == kept.shape == (50,) and not kept[20:].any() and not index[~kept].any()
    np.testing.assert_array_equal(few, index[:3])
    assert all_.all()
    index, kept = NMS(boxes, scores, np.zeros(20), threshold=0.5, size=3)
    assert not kept.any() and not index.any()


def test_what_is_not_valid_changes_nothing():
    boxes, scores = random_boxes(np.random.RandomState(0), 20)
    index, kept = NMS(boxes, scores, np.ones(20), threshold=0.5, size=20)
    padded, high = np.concatenate([boxes, boxes]), np.concatenate([scores, scores + 1])
    again = NMS(padded, high, np.repeat([1.0, 0.0], 20), threshold=0.5, size=20)
    np.testing.assert_array_equal(again, (index, kept))


def by_class(boxes, scores, valid, least, threshold, size, most):
    """[(box, score, label)] of the definition, and how many candidates `most` cut off."""
    found, overflow = [], 0
    for c in range(scores.shape[1]):
        own = boxes[:, c] if boxes.ndim == 3 else boxes
        rows = [k for k in np.argsort(-scores[:, c], kind='stable') if valid[k] and scores[k, c] > least]
        overflow += max(len(rows) - most, 0)
        rows = np.array(rows[:most], int)
        kept = greedy(own[rows], scores[rows, c], np.ones(len(rows)), threshold) if len(rows) else []
        found += [(own[rows[k]], scores[rows[k], c], c) for k in kept]
    return sorted(found, key=lambda entry: -entry[1])[:size], overflow


@pytest.mark.parametrize('most', [40, 12])
@pytest.mark.parametrize('per_class', [False, True])
def test_final_detections_are_those_of_the_definition(per_class, most):
    rng = np.random.RandomState(0)
    boxes = random_boxes(rng, 40 * 3)[0].reshape(40, 3, 4)
    boxes = boxes if per_class else boxes[:, 0]
    scores, valid = rng.uniform(0, 0.3, (40, 3)).astype(np.float32), rng.rand(40) < 0.9
    laws = dict(least=0.05, threshold=0.45, size=25, most=most)
    wanted, overflow = by_class(boxes, scores, valid, **laws)
    found = FIND(boxes, scores, valid, **laws)
    assert found.label.tolist() == [label for _, _, label in wanted] + [-1] * (25 - len(wanted))
    np.testing.assert_array_equal(found.score[: len(wanted)], [score for _, score, _ in wanted])
    np.testing.assert_array_equal(found.boxes[: len(wanted)], [box for box, _, _ in wanted])
    assert found.overflow == overflow and (overflow > 0) == (most == 12)


def test_fewer_detections_than_places():
    boxes = jnp.array([[0, 0, 4, 4], [8, 8, 9, 9.0]])
    found = FIND(boxes, jnp.array([[0.9, 0.01], [0.3, 0.01]]), jnp.ones(2), least=0.05, threshold=0.5, size=6)
    assert found.label.tolist() == [0, 0, -1, -1, -1, -1]
    np.testing.assert_allclose(found.score, [0.9, 0.3, 0, 0, 0, 0])
    np.testing.assert_array_equal(found.boxes, [*boxes, *np.zeros((4, 4))])
    none = FIND(boxes, jnp.zeros((2, 2)), jnp.ones(2), least=0.0, threshold=0.5, size=6)
    assert (none.label == -1).all() and not none.boxes.any() and none.overflow == 0


def test_numbers_out_of_range():
    boxes = jnp.zeros((2, 4))
    with pytest.raises(ValueError, match='threshold=1.2 must be'):
        nms(boxes, jnp.ones(2), jnp.ones(2), threshold=1.2, size=2)
    with pytest.raises(ValueError, match='size=0 must be'):
        nms(boxes, jnp.ones(2), jnp.ones(2), threshold=0.5, size=0)
