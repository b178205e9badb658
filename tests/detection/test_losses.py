import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.detection import assign as assign_
from resizemix_jax.detection import sample as sample_
from resizemix_jax.detection.assign import BACKGROUND, IGNORED, append_truth, assign
from resizemix_jax.detection.boxes import HEAD_STDS, encode, iou
from resizemix_jax.detection.losses import (
    Loss,
    cross_entropy,
    divided,
    hardest,
    head_loss,
    rpn_loss,
    smooth_l1,
    ssd_loss,
)  # fmt: skip
from resizemix_jax.detection.sample import Sample, sample
from tests.reference.detection_cases import random_boxes

CLASSES, ANCHORS, TRUTHS = 4, 60, 3


def numbers(seed=0):
    """logits, offsets, anchors, boxes, label of an image whose boxes are near some anchors."""
    rng = np.random.RandomState(seed)
    anchors = random_boxes(rng, ANCHORS)[0]
    boxes = anchors[:TRUTHS] + rng.uniform(-2, 2, (TRUTHS, 4)).astype(np.float32)
    logits = rng.standard_normal((ANCHORS, CLASSES + 1)).astype(np.float32) * 2
    offsets = rng.standard_normal((ANCHORS, 4)).astype(np.float32)
    return logits, offsets, anchors, boxes, rng.randint(0, CLASSES, TRUTHS).astype(np.int32)


def log_softmax(logits):
    logits = np.asarray(logits, np.float64)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def test_smooth_l1_and_cross_entropy_by_hand():
    np.testing.assert_allclose(smooth_l1(jnp.array([-2, -0.5, 0, 1, 3.0])), [1.5, 0.125, 0, 0.5, 2.5])
    np.testing.assert_allclose(smooth_l1(jnp.array([-2, 0.05]), beta=1 / 9), [2 - 1 / 18, 0.01125], rtol=1e-6)
    found = cross_entropy(jnp.array([[0, 0, jnp.log(2.0)]], jnp.bfloat16), jnp.array([2]))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, [np.log(2)], rtol=1e-2)


@pytest.mark.parametrize(('count', 'total'), [(0, 0), (1, 9), (2, 14), (4, 19), (9, 19)])
def test_the_hardest_of_a_set(count, total):
    losses, member = jnp.array([1, 50, 5, 4, 9.0]), jnp.array([1, 0, 1, 1, 1], bool)
    assert jax.jit(hardest)(losses, member, count) == total
    gradient = jax.grad(hardest)(losses, member, count)
    assert np.isfinite(gradient).all() and gradient.sum() == min(count, 4) and gradient[1] == 0


def test_ssds_loss_written_out():
    logits, offsets, anchors, boxes, label = numbers()
    match = jax.jit(lambda b, a: assign(iou(b, a), jnp.ones(TRUTHS), **assign_.SSD))
    assigned = np.array(match(boxes, anchors))
    assigned[-5:] = IGNORED
    positive = np.flatnonzero(assigned >= 0)
    log_p = log_softmax(logits)
    background = np.sort(-log_p[assigned == BACKGROUND, -1])[::-1]
    classes = -sum(log_p[n, label[assigned[n]]] for n in positive) + background[: 3 * len(positive)].sum()
    apart = abs(offsets[positive] - encode(boxes[assigned[positive]], anchors[positive], stds=HEAD_STDS))
    moved = np.where(apart < 1, apart**2 / 2, apart - 0.5).sum()
    found = jax.jit(ssd_loss)(logits, offsets, anchors, assigned, boxes, label)
    np.testing.assert_allclose(found, (classes, moved, len(positive)), rtol=1e-6)
    assert len(positive) >= TRUTHS


def test_an_image_without_ground_truth_adds_one_to_ssds_divisor():
    logits, offsets, anchors, boxes, label = numbers()
    found = jax.jit(ssd_loss)(logits, offsets, anchors, np.full(ANCHORS, BACKGROUND), boxes, label)
    assert [*map(float, found)] == [0, 0, 1]
    assert divided(Loss(jnp.array([6.0, 0]), jnp.array([3.0, 0]), jnp.array([2.0, 1]))) == (2, 1)
    assert divided(Loss(jnp.array([6.0]), jnp.array([3.0]), jnp.array([0.0]))) == (6, 3)


def test_the_loss_of_the_proposals_written_out():
    logits, offsets, anchors, boxes, _ = numbers()
    logits = logits[:, 0]
    assigned = np.full(ANCHORS, BACKGROUND)
    assigned[[4, 7]] = 2, 0
    sampled = Sample(jnp.array([4, 7, 30, 31, 32, 0]), jnp.array([1, 1, 0, 0, 0, 0], bool), jnp.arange(6) < 5)
    p = 1 / (1 + np.exp(-np.asarray(logits, np.float64)))
    classes = -np.log(p[[4, 7]]).sum() - np.log(1 - p[[30, 31, 32]]).sum()
    wanted = encode(boxes[[2, 0]], anchors[[4, 7]])
    moved = abs(offsets[[4, 7]] - wanted).sum()
    found = jax.jit(rpn_loss)(logits, offsets, anchors, assigned, sampled, boxes)
    np.testing.assert_allclose(found, (classes, moved, 5), rtol=1e-6)
    none = sampled._replace(positive=jnp.zeros(6, bool))
    assert jax.jit(rpn_loss)(logits, offsets, anchors, assigned, none, boxes).divisor == 6  # max(0, 1) + 5


def test_the_loss_of_the_second_stage_written_out():
    logits, _, anchors, boxes, label = numbers()
    offsets = np.random.RandomState(5).standard_normal((6, CLASSES, 4)).astype(np.float32)
    truth, positive = jnp.array([1, 2, -1, -1, -2, 0]), jnp.array([1, 1, 0, 0, 0, 0], bool)
    valid = jnp.arange(6) < 4
    log_p = log_softmax(logits[:6])
    classes = -(log_p[0, label[1]] + log_p[1, label[2]] + log_p[2, -1] + log_p[3, -1])
    own = np.stack([offsets[0, label[1]], offsets[1, label[2]]])
    moved = abs(own - encode(boxes[1:3], anchors[:2], stds=HEAD_STDS)).sum()
    found = jax.jit(head_loss)(logits[:6], offsets, anchors[:6], truth, positive, valid, boxes, label)
    np.testing.assert_allclose(found, (classes, moved, 4), rtol=1e-6)


def ssd(logits, offsets, anchors, boxes, label, box_valid, key):
    return ssd_loss(
        logits, offsets, anchors, assign(iou(boxes, anchors), box_valid, **assign_.SSD), boxes, label
    )


def rpn(logits, offsets, anchors, boxes, label, box_valid, key):
    assigned = assign(iou(boxes, anchors), box_valid, **assign_.RPN)
    sampled = sample(key, assigned, size=32, positive_share=0.5)
    return rpn_loss(logits[:, 0], offsets, anchors, assigned, sampled, boxes)


def head(logits, offsets, anchors, boxes, label, box_valid, key):
    """The second stage, with the anchors for proposals, and the features of each a number of its place."""
    assigned = assign(iou(boxes, anchors), box_valid, **assign_.HEAD)
    proposals, assigned = append_truth(anchors, assigned, boxes, box_valid)
    index, positive, valid = sample(key, assigned, size=16, positive_share=0.25)
    chosen = proposals[index]
    rows = jnp.where(valid, index % ANCHORS, 0)
    moved = jnp.broadcast_to(offsets[rows, None], (16, CLASSES, 4))
    return head_loss(logits[rows], moved, chosen, assigned[index], positive, valid, boxes, label)


@pytest.mark.parametrize('dtype', [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize('loss', [ssd, rpn, head])
def test_padded_boxes_change_nothing(loss, dtype, key):
    """Neither loss nor gradient, whatever the padding holds, nor where in the array the boxes are."""
    logits, offsets, anchors, boxes, label = numbers()
    junk = np.float32([[0, 0, 0, 0], [-1, -1, -1, -1], [9, 9, 2, 2], [0, 0, 1e6, 1e6], *anchors[10:11]])
    padded = np.concatenate([boxes, junk])
    labels = np.append(label, np.int32([-1, 0, 99, 1, 2]))

    def run(boxes, label, valid):
        def total(logits, offsets):
            return sum(divided(loss(logits, offsets, anchors, boxes, label, valid, key)))

        return jax.jit(jax.value_and_grad(total, (0, 1)))(logits.astype(dtype), offsets.astype(dtype))

    value, gradients = run(boxes, label, jnp.ones(TRUTHS))
    again, gradients_again = run(padded, labels, jnp.arange(len(padded)) < TRUTHS)
    assert np.isfinite(value) and value > 0
    np.testing.assert_allclose(value, again, rtol=1e-6)
    for a, b in zip(gradients, gradients_again, strict=True):
        assert np.isfinite(np.asarray(a, np.float32)).all() and a.any()
        np.testing.assert_allclose(np.asarray(a, np.float32), np.asarray(b, np.float32), atol=1e-6)


@pytest.mark.parametrize('loss', [ssd, rpn, head])
def test_an_image_without_ground_truth_has_finite_gradients(loss, key):
    logits, offsets, anchors, boxes, label = numbers()

    def total(logits, offsets):
        return sum(divided(loss(logits, offsets, anchors, boxes * 0, label * 0, jnp.zeros(TRUTHS), key)))

    value, (of_logits, of_offsets) = jax.jit(jax.value_and_grad(total, (0, 1)))(logits, offsets)
    assert np.isfinite(value) and np.isfinite(of_logits).all() and not of_offsets.any()
    assert (value > 0) == (loss is not ssd)


def test_keywords_are_those_of_the_published_configurations():
    assert [*assign_.RPN.items()] == [('positive', 0.7), ('negative', 0.3), ('least', 0.3), ('ties', True)]
    assert [*assign_.HEAD.items()] == [('positive', 0.5), ('negative', 0.5)]
    assert [*assign_.SSD.items()] == [('positive', 0.5), ('negative', 0.5), ('least', 0.0), ('ties', False)]
    assert [*sample_.RPN.values(), *sample_.HEAD.values()] == [256, 0.5, 512, 0.25]
