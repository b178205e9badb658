"""Assignment of ground truth to anchors and proposals, by overlap."""

import jax.numpy as jnp
from jax import Array

from resizemix_jax.ranges import SHARE

BACKGROUND, IGNORED = -1, -2  # in the place of a ground truth's index

# Keywords of `assign`, of MMDetection's configurations.
RPN = dict(positive=0.7, negative=0.3, least=0.3, ties=True)
HEAD = dict(positive=0.5, negative=0.5)  # Faster R-CNN's second stage
SSD = dict(positive=0.5, negative=0.5, least=0.0, ties=False)


def assign(
    overlaps: Array,
    box_valid: Array,
    valid: Array | None = None,
    *,
    positive: float,
    negative: float,
    least: float | None = None,
    ties: bool = True,
) -> Array:
    """Which ground truth every anchor is to find: its index, BACKGROUND or IGNORED; int32 [N].

    Law, in this order:
        the overlap of an anchor is its largest one with a valid ground truth, 0 where there is none;
        below `negative` the anchor is background, from `positive` on it gets the ground truth of that
        overlap (the first of equal ones), between them it is ignored;
        with `least`, every ground truth whose largest overlap with a valid anchor is >= least gets that
        anchor (with `ties` all anchors of exactly that overlap, else the first) whatever it had. Where
        several ask for one anchor, the last of them has it.
        Anchors that are not valid are ignored.
    So least=0 also gives an anchor to a ground truth that overlaps none: the first one, as there.

    Source: MaxIoUAssigner of MMDetection, with RPN, HEAD and SSD of this module. SSD is also torchvision's
    SSDMatcher. torchvision's Matcher for the RPN differs: a forced anchor gets the ground truth that it
    overlaps most, and not the one that asked for it.

    Args:
        overlaps: [G, N], `iou(boxes, anchors)`.
        box_valid: [G], whether a ground truth is real and not padding.
        valid: [N], which anchors count; None: all.
        positive, negative: in [0, 1], negative <= positive.
        least: in [0, 1], or None: no anchor is forced.
        ties: see the law.

    Raises:
        ValueError: an overlap out of range.
    """
    SHARE.check(positive=positive, negative=negative, least=0 if least is None else least)
    if negative > positive:
        raise ValueError(f'negative={negative} must be <= positive={positive}')
    real = box_valid.astype(bool)[:, None]
    usable = real if valid is None else real & valid.astype(bool)
    overlaps = jnp.where(usable, overlaps, -1.0)  # less than any overlap that there is
    best = jnp.max(overlaps, axis=0)
    without = jnp.where(best < negative, BACKGROUND, IGNORED)
    assigned = jnp.where(best >= positive, jnp.argmax(overlaps, axis=0), without)
    if least is not None:
        last = _last_to_ask(overlaps, least, ties)
        assigned = jnp.where(last >= 0, last, assigned)
    if valid is not None:
        assigned = jnp.where(valid.astype(bool), assigned, IGNORED)
    return assigned.astype(jnp.int32)


def _last_to_ask(overlaps, least, ties):
    """The last ground truth that forces its best anchor, -1 where none does; int32 [N]."""
    index = jnp.arange(overlaps.shape[0])[:, None]
    best = jnp.max(overlaps, axis=1, keepdims=True)
    if ties:
        asks = overlaps == best
    else:
        asks = jnp.arange(overlaps.shape[1]) == jnp.argmax(overlaps, axis=1)[:, None]
    return jnp.max(jnp.where(asks & (best >= max(least, 0)), index, -1), axis=0)


def append_truth(proposals: Array, assigned: Array, boxes: Array, box_valid: Array) -> tuple[Array, Array]:
    """Proposals with the ground truth behind them, each assigned to itself: ([R + G, 4], int32 [R + G]).

    MMDetection's add_gt_as_proposals, after the assignment, so that the second stage has positive examples
    from the first step on. There the ground truth comes first, which changes no law; behind the proposals
    more padding leaves the draws of `sample` as they are.

    Args:
        proposals: [R, 4].
        assigned: int32 [R], by `assign`.
        boxes: [G, 4], the ground truth.
        box_valid: [G].
    """
    own = jnp.where(box_valid.astype(bool), jnp.arange(boxes.shape[0]), IGNORED)
    return jnp.concatenate([proposals, boxes]), jnp.concatenate([assigned, own.astype(jnp.int32)])
