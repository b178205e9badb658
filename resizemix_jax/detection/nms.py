"""Non-maximum suppression (NMS), exact, and a detector's final detections."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from resizemix_jax.detection.boxes import iou
from resizemix_jax.ranges import NOT_NEGATIVE, SHARE, Whole


def suppress(boxes: Array, valid: Array, *, threshold: float) -> Array:
    """Which boxes greedy NMS keeps, bool [N], of boxes in descending order of their scores.

    Law: in order, a valid and finite box is kept unless it overlaps a kept one by an IoU > threshold.

    The result is the only solution of keep[j] = valid[j] and no i < j has keep[i] and IoU[i, j] > threshold.
    Starting from any guess, the right side of that is right in its first entry, then in its first two, and
    so on; it is repeated until nothing changes. That takes as many turns as the longest chain of boxes of
    which each suppresses the next, rarely more than ten. Without a tile size, it is exact at any threshold.

    The comparison is in float32, as in mmcv and on torchvision's GPU; torchvision's CPU code compares the
    float32 overlap with a threshold in double precision, which differs where they are equal.

    Args:
        boxes: [N, 4].
        valid: [N].
        threshold: in [0, 1].
    """
    SHARE.check(threshold=threshold)
    # The loop begins with a state that depends on the boxes: under shard_map it has to vary as they do.
    valid = valid.astype(bool) & jnp.all(jnp.isfinite(boxes), axis=-1)
    order = jnp.arange(boxes.shape[0])
    over = (iou(boxes, boxes) > threshold) & (order[:, None] < order)

    def advance(state):
        keep, _ = state
        new = valid & ~jnp.any(over & keep[:, None], axis=0)
        return new, jnp.any(new != keep)

    return lax.while_loop(lambda state: state[1], advance, (valid, jnp.any(valid)))[0]


def nms(boxes: Array, scores: Array, valid: Array, *, threshold: float, size: int) -> tuple[Array, Array]:
    """The boxes that NMS keeps, best first: (index int32 [size], kept bool [size]).

    Law: `suppress` in descending order of the scores, equal ones in their order; then the first `size`. The
    index of an entry that is not kept is 0. torchvision.ops.nms returns index[kept].

    Args:
        boxes: [N, 4].
        scores: [N].
        valid: [N].
        threshold: in [0, 1], see `suppress`.
        size: how many at most.
    """
    Whole(1).check(size=size)
    boxes, valid = jnp.asarray(boxes), jnp.asarray(valid)
    order = jnp.argsort(-scores.astype(jnp.float32), stable=True)
    keep = suppress(boxes[order], valid[order], threshold=threshold)
    first = jnp.argsort(~keep, stable=True)[:size]
    missing = (0, size - first.shape[0])
    kept = jnp.pad(keep[first], missing)
    return jnp.where(kept, jnp.pad(order[first], missing), 0), kept


class Detections(NamedTuple):
    """What was found in an image, best first.

    Attributes:
        boxes: float32 [size, 4]; 0 where there is none.
        score: float32 [size]; 0 where there is none.
        label: int32 [size]; -1 where there is none.
        overflow: int32 [], candidates that `most` cut off before NMS. With 0 the result is exact.
    """

    boxes: Array
    score: Array
    label: Array
    overflow: Array


def detections(
    boxes: Array,
    scores: Array,
    valid: Array,
    *,
    least: float,
    threshold: float,
    size: int,
    most: int | None = None,
    at_once: int = 1,
) -> Detections:
    """NMS within every class, and the best of all classes.

    Law: a class's candidates are the valid boxes with a score > least, the best `most` of them; NMS; then
    the best `size` of all classes, equal scores in the order of class and candidate. Classes never suppress
    each other. (Public code shifts the boxes of each class apart instead, and does one NMS: with 80 classes
    of images of 1333 pixels, that rounds their corners to .008 pixels.)

    Of MMDetection: Faster R-CNN least=.05, threshold=.5, size=100; SSD .02, .45, 200, without `most`, which
    is here for memory: the temporaries are `at_once` matrices [most, most].

    Args:
        boxes: [R, 4], or [R, C, 4] with a box for each class.
        scores: [R, C], probabilities without the background.
        valid: [R].
        least, threshold: numbers >= 0.
        size: how many at most.
        most: candidates a class; None: all R.
        at_once: how many classes are computed at once; the others wait in a loop.

    Returns:
        Detections.

    Raises:
        ValueError: a number out of range.
    """
    Whole(1).check(size=size, most=boxes.shape[0] if most is None else most, at_once=at_once)
    NOT_NEGATIVE.check(least=least)
    boxes = jnp.asarray(boxes)
    count, classes = scores.shape
    most = count if most is None else min(most, count)

    def one(inputs):
        score, c = inputs
        candidate = valid.astype(bool) & (score > least)
        score, index = lax.top_k(jnp.where(candidate, score, -1.0), most)
        keep = suppress(of_class(index, c), score > least, threshold=threshold)
        return index, jnp.where(keep, score, -1.0), jnp.sum(candidate) - jnp.sum(score > least)

    def of_class(index, c):
        return boxes[index, c] if boxes.ndim == 3 else boxes[index]

    inputs = scores.astype(jnp.float32).T, jnp.arange(classes)
    candidate, score, cut = lax.map(one, inputs, batch_size=min(at_once, classes))
    score, index = lax.top_k(score.reshape(-1), min(size, classes * most))
    none = score < 0
    found = of_class(candidate.reshape(-1)[index], index // most)
    found = jnp.where(none[:, None], 0.0, found)
    label = jnp.where(none, -1, index // most)
    result = Detections(found, jnp.where(none, 0.0, score), label, jnp.sum(cut))
    return _padded(result, size)


def _padded(result, size):
    missing = size - result.score.shape[0]
    boxes = jnp.pad(result.boxes, ((0, missing), (0, 0)))
    label = jnp.pad(result.label, (0, missing), constant_values=-1)
    return Detections(boxes, jnp.pad(result.score, (0, missing)), label, result.overflow)
