import jax
import numpy as np
import pytest

from resizemix_jax.detection import assign as module
from resizemix_jax.detection.assign import BACKGROUND, IGNORED, append_truth, assign
from resizemix_jax.detection.boxes import iou
from tests.reference.detection_cases import random_boxes

LAWS = {
    'rpn': module.RPN,
    'head': module.HEAD,
    'ssd': module.SSD,
    'low': dict(positive=0.6, negative=0.2, least=0.1, ties=False),
}
ASSIGN = jax.jit(assign, static_argnames=('positive', 'negative', 'least', 'ties'))


def max_iou_assigner(overlaps, *, positive, negative, least=None, ties=True):
    """MMDetection's MaxIoUAssigner, one anchor and one ground truth after the other."""
    count, anchors = overlaps.shape
    assigned = np.full(anchors, IGNORED)
    for n in range(anchors):
        best = max([*overlaps[:, n], 0])
        if best < negative:
            assigned[n] = BACKGROUND
        if count and best >= positive:
            assigned[n] = list(overlaps[:, n]).index(best)
    for g in range(count):
        best = max(overlaps[g])
        if least is not None and best >= least:
            equal = [n for n in range(anchors) if overlaps[g, n] == best]
            for n in equal if ties else equal[:1]:
                assigned[n] = g
    return assigned


@pytest.mark.parametrize('law', LAWS)
def test_the_assignment_is_mmdetections(law):
    """With equal overlaps, the same box twice, padded boxes, anchors that do not count, and no box at all."""
    rng = np.random.RandomState(0)
    for trial in range(60):
        kind = ('grid', 'plain', 'copies')[trial % 3]
        boxes, anchors = random_boxes(rng, 7, kind)[0], random_boxes(rng, 60, kind)[0]
        boxes[3] = boxes[1]
        box_valid = rng.rand(7) < (0.7, 0.0)[trial == 5]
        valid = rng.rand(60) < 0.9
        overlaps = np.asarray(iou(boxes, anchors))
        wanted = np.full(60, IGNORED)
        place = np.append(np.flatnonzero(box_valid), (BACKGROUND, IGNORED)[::-1])
        wanted[valid] = place[max_iou_assigner(overlaps[box_valid][:, valid], **LAWS[law])]
        np.testing.assert_array_equal(ASSIGN(overlaps, box_valid, valid, **LAWS[law]), wanted)


def test_the_last_ground_truth_gets_an_anchor_that_several_ask_for():
    overlaps = np.float32([[0.4, 0.1], [0.35, 0.2], [0.4, 0.3]])
    assert ASSIGN(overlaps, np.ones(3, bool), **module.RPN).tolist() == [2, IGNORED]
    assert ASSIGN(overlaps, np.array([1, 1, 0]), **module.RPN).tolist() == [1, BACKGROUND]
    assert ASSIGN(overlaps, np.zeros(3, bool), **module.RPN).tolist() == [BACKGROUND] * 2


def test_ssd_gives_an_anchor_to_a_box_that_overlaps_none():
    assert ASSIGN(np.zeros((2, 3), np.float32), np.ones(2, bool), **module.SSD).tolist() == [1, -1, -1]


def test_the_ground_truth_is_appended_to_the_proposals():
    proposals, boxes = np.zeros((3, 4), np.float32), np.ones((2, 4), np.float32)
    found, assigned = append_truth(proposals, np.array([1, -1, -2], np.int32), boxes, np.array([1, 0]))
    assert found.shape == (5, 4) and assigned.tolist() == [1, -1, -2, 0, IGNORED]


def test_overlaps_out_of_range():
    with pytest.raises(ValueError, match='positive=1.5 must be'):
        assign(np.zeros((1, 1)), np.ones(1), positive=1.5, negative=0.3)
    with pytest.raises(ValueError, match='negative=0.6 must be <= positive=0.5'):
        assign(np.zeros((1, 1)), np.ones(1), positive=0.5, negative=0.6)
