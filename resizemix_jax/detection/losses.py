"""The losses of SSD and of both stages of Faster R-CNN: sums over an image, and what they are divided by.

Each function gives one image's sums (`Loss`); under `jax.vmap` they are arrays [B], of which `divided` makes
the loss of the batch. MMDetection divides by counts over one GPU's images and averages over GPUs, which is
what the trainer's step does with a loss that is divided on each device.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.detection.assign import BACKGROUND
from resizemix_jax.detection.boxes import HEAD_STDS, RPN_STDS, encode
from resizemix_jax.detection.sample import Sample
from resizemix_jax.ranges import NOT_NEGATIVE, POSITIVE


class Loss(NamedTuple):
    """Sums of an image, float32 [].

    Attributes:
        classes: of the classification.
        boxes: of the offsets.
        divisor: what this image adds to the number that both are divided by.
    """

    classes: Array
    boxes: Array
    divisor: Array


def divided(loss: Loss) -> tuple[Array, Array]:
    """(classification, boxes): both sums over the batch [B] / max(sum of the divisors, 1), float32 []."""
    divisor = jnp.maximum(jnp.sum(loss.divisor), 1)
    return jnp.sum(loss.classes) / divisor, jnp.sum(loss.boxes) / divisor


def l1(difference: Array) -> Array:
    """|x|, elementwise."""
    return jnp.abs(difference)


def smooth_l1(difference: Array, *, beta: float = 1.0) -> Array:
    """x^2 / (2 beta) where |x| < beta, else |x| - beta / 2; elementwise."""
    POSITIVE.check(beta=beta)
    size = jnp.abs(difference)
    return jnp.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta)


def cross_entropy(logits: Array, label: Array) -> Array:
    """-log softmax(logits)[label], float32 [...].

    Args:
        logits: float [..., C + 1].
        label: int32 [...].
    """
    log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
    return -jnp.take_along_axis(log_p, label[..., None], axis=-1)[..., 0]


def hardest(losses: Array, member: Array, count: Array) -> Array:
    """The sum of the `count` largest losses of the members, or of all if there are fewer; float32 [].

    Args:
        losses: float32 [N].
        member: bool [N].
        count: int32 []; may be traced.
    """
    ordered = -jnp.sort(jnp.where(member, -losses, jnp.inf))
    rank = jnp.arange(losses.shape[0])
    return jnp.sum(jnp.where(rank < jnp.minimum(count, jnp.sum(member)), ordered, 0.0))


def ssd_loss(
    logits: Array,
    offsets: Array,
    anchors: Array,
    assigned: Array,
    boxes: Array,
    label: Array,
    *,
    negatives: float = 3,
    beta: float = 1.0,
) -> Loss:
    """SSD's loss of an image, with hard-negative mining.

    Law: cross-entropy of the n anchors with a ground truth, and of the `negatives` * n background anchors
    where it is largest; smooth L1 of the offsets of those n, summed over the four. The divisor is max(n, 1).
    So an image without ground truth adds nothing but 1 to the divisor.

    Source: SSDHead of MMDetection. torchvision's SSD divides by max(sum of n, 1) instead.

    Args:
        logits: [N, C + 1].
        offsets: [N, 4].
        anchors: [N, 4].
        assigned: int32 [N], by `assign`.
        boxes: [G, 4], the ground truth.
        label: int32 [G].
        negatives: for each positive.
        beta: of `smooth_l1`.
    """
    NOT_NEGATIVE.check(negatives=negatives)
    boxes, label = jnp.asarray(boxes), jnp.asarray(label)
    positive = assigned >= 0
    truth = jnp.maximum(assigned, 0)
    target = jnp.where(positive, label[truth], logits.shape[-1] - 1)
    each = cross_entropy(logits, target)
    count = jnp.sum(positive)
    most = jnp.floor(negatives * count).astype(jnp.int32)
    background = hardest(each, assigned == BACKGROUND, most)
    classes = jnp.sum(jnp.where(positive, each, 0.0)) + background
    wanted = encode(boxes[truth], anchors, stds=HEAD_STDS)
    moved = _offsets_loss(offsets, wanted, positive, lambda d: smooth_l1(d, beta=beta))
    return Loss(classes, moved, jnp.maximum(count, 1).astype(jnp.float32))


def rpn_loss(
    logits: Array, offsets: Array, anchors: Array, assigned: Array, sampled: Sample, boxes: Array
) -> Loss:
    """The loss of an image's region proposals, over a sample of its anchors.

    Law: binary cross-entropy of the sampled anchors; L1 of the offsets of the positive ones. The divisor is
    max(positives, 1) + max(negatives, 1).

    Source: RPNHead of MMDetection, with L1Loss.

    Args:
        logits: [N], of all anchors of all levels.
        offsets: [N, 4].
        anchors: [N, 4].
        assigned: int32 [N], by `assign`.
        sampled: by `sample`.
        boxes: [G, 4], the ground truth.
    """
    boxes, anchors = jnp.asarray(boxes), jnp.asarray(anchors)
    index, positive = sampled.rows, sampled.positive
    score = logits[index].astype(jnp.float32)
    each = -jax.nn.log_sigmoid(jnp.where(positive, score, -score))
    wanted = encode(boxes[jnp.maximum(assigned[index], 0)], anchors[index], stds=RPN_STDS)
    moved = _offsets_loss(offsets[index], wanted, positive, l1)
    positives = jnp.sum(positive)
    negatives = jnp.sum(sampled.valid) - positives
    count = jnp.maximum(positives, 1) + jnp.maximum(negatives, 1)
    return Loss(jnp.sum(jnp.where(sampled.valid, each, 0.0)), moved, count.astype(jnp.float32))


def head_loss(
    logits: Array,
    offsets: Array,
    proposals: Array,
    truth: Array,
    positive: Array,
    valid: Array,
    boxes: Array,
    label: Array,
) -> Loss:
    """The loss of Faster R-CNN's second stage, over an image's sampled proposals.

    Law: cross-entropy of all of them; L1 of the offsets of the positive ones, of their own class. The divisor
    is their number, without + 1; `divided` makes that at least 1.

    Source: BBoxHead of MMDetection, with L1Loss and reg_class_agnostic=False.

    Args:
        logits: [R, C + 1].
        offsets: [R, C, 4].
        proposals: [R, 4], the sampled ones.
        truth: int32 [R], index of each one's ground truth; any number where it is not positive.
        positive: bool [R].
        valid: bool [R].
        boxes: [G, 4], the ground truth.
        label: int32 [G].
    """
    boxes, label = jnp.asarray(boxes), jnp.asarray(label)
    truth = jnp.where(positive, truth, 0)
    own = label[truth]
    each = cross_entropy(logits, jnp.where(positive, own, logits.shape[-1] - 1))
    own = jnp.clip(own, 0, offsets.shape[1] - 1)  # the label of padding may be any number
    chosen = jnp.take_along_axis(offsets, own[:, None, None], axis=1)[:, 0]
    wanted = encode(boxes[truth], proposals, stds=HEAD_STDS)
    moved = _offsets_loss(chosen, wanted, positive, l1)
    return Loss(jnp.sum(jnp.where(valid, each, 0.0)), moved, jnp.sum(valid).astype(jnp.float32))


def _offsets_loss(offsets: Array, wanted: Array, positive: Array, law: Callable) -> Array:
    """The sum of law(offsets - wanted) over the positives."""
    difference = offsets.astype(jnp.float32) - wanted
    # Before the law: 0 in the place of what does not count has the gradient 0, whatever is there.
    return jnp.sum(law(jnp.where(positive[:, None], difference, 0.0)))
