import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax.detection.boxes import clip, decode
from resizemix_jax.detection.proposals import propose
from tests.detection.test_nms import greedy
from tests.reference.detection_cases import PROPOSE, random_boxes


def levels(rng, counts):
    anchors = [random_boxes(rng, n)[0] for n in counts]
    logits = [rng.standard_normal(n).astype(np.float32) for n in counts]
    offsets = [rng.standard_normal((n, 4)).astype(np.float32) * 0.3 for n in counts]
    return logits, offsets, anchors, [rng.rand(n) < 0.8 for n in counts]


def written_out(logits, offsets, anchors, valid, size, before, after, threshold):
    found = []
    for score, offset, anchor, counts in zip(logits, offsets, anchors, valid, strict=True):
        order = [k for k in np.argsort(-score, kind='stable') if counts[k]][:before]
        boxes = np.asarray(clip(decode(offset[order], anchor[order]), size))
        kept = greedy(boxes, score[order], np.ones(len(order)), threshold)
        found += [(boxes[k], score[order][k]) for k in kept]
    return sorted(found, key=lambda entry: -entry[1])[:after]


def test_proposals_are_the_best_after_nms_within_each_level():
    """One level has fewer anchors than are taken of each, and some anchors do not count."""
    inputs = levels(np.random.RandomState(0), (70, 40, 9))
    size = np.float32([80, 90])
    for after in (20, 200):
        laws = dict(before=25, after=after, threshold=0.6)
        wanted = written_out(*inputs, size, **laws)
        boxes, scores, valid = PROPOSE(*inputs, size, **laws)
        assert boxes.shape == (after, 4) and valid.sum() == len(wanted)
        np.testing.assert_allclose(boxes[valid], [box for box, _ in wanted], atol=3e-5)
        np.testing.assert_allclose(
            scores[valid], jax.nn.sigmoid(jnp.array([s for _, s in wanted])), rtol=1e-6
        )
        assert not boxes[~valid].any() and not scores[~valid].any()


def test_empty_boxes_are_kept_unless_a_side_is_asked_for():
    outside, inside = [[-50, 0, -20, 10]], [[0, 0, 10, 10]]
    inputs = (
        [jnp.array([2.0, 1.0])],
        [jnp.zeros((2, 4))],
        [jnp.array(outside + inside, jnp.float32)],
        [jnp.ones(2)],
    )
    assert PROPOSE(*inputs, jnp.array([20, 20]), after=4)[2].sum() == 2
    assert PROPOSE(*inputs, jnp.array([20, 20]), after=4, least_side=1e-3)[0][0].tolist() == inside[0]


def test_scores_that_round_to_one_are_in_the_order_of_their_logits():
    anchors = jnp.array([[0, 0, 10, 10], [50, 50, 60, 60.0]])
    inputs = [jnp.array([30.0, 40.0])], [jnp.zeros((2, 4))], [anchors], [jnp.ones(2)]
    boxes, scores, _ = PROPOSE(*inputs, jnp.array([90, 90]), after=2)
    assert scores.tolist() == [1, 1] and boxes[0].tolist() == anchors[1].tolist()


def test_no_gradient_goes_through():
    logits, offsets, anchors, valid = levels(np.random.RandomState(0), (12, 5))

    def total(logits, offsets):
        boxes, scores, _ = propose(logits, offsets, anchors, valid, (80, 80), before=6, after=6)
        return boxes.sum() + scores.sum()

    gradients = jax.jit(jax.grad(total, (0, 1)))([*map(jnp.asarray, logits)], [*map(jnp.asarray, offsets)])
    assert not any(leaf.any() for leaf in jax.tree.leaves(gradients))
