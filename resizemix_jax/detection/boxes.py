"""Boxes: areas, overlaps, borders, and the offsets from anchors that a network predicts."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

# Of the offsets (x, y, log width, log height): what a network predicts is divided by these.
RPN_STDS = (1.0, 1.0, 1.0, 1.0)
HEAD_STDS = (0.1, 0.1, 0.2, 0.2)  # of Faster R-CNN's second stage, and of SSD
LARGEST_LOG = math.log(1000 / 16)  # of a decoded side over the anchor's


def area(boxes: Array) -> Array:
    """Width times height, float32 [...]; of a box that is turned inside out it may be negative."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def iou(first: Array, second: Array) -> Array:
    """Intersection over union of every pair, float32 [..., N, M].

    Law: inter / max(area + area - inter, 1e-6), in float32 and in this order. Compiled or not, in whatever
    program, the results are those of torchvision.ops.box_iou to the bit, so that equal overlaps stay equal;
    on TPU a quotient may be rounded otherwise. Two empty boxes have 0, as in MMDetection (torchvision: NaN).

    Args:
        first: [..., N, 4].
        second: [..., M, 4].
    """
    a, b = first[..., :, None, :], second[..., None, :, :]
    width = jnp.minimum(a[..., 2], b[..., 2]) - jnp.maximum(a[..., 0], b[..., 0])
    height = jnp.minimum(a[..., 3], b[..., 3]) - jnp.maximum(a[..., 1], b[..., 1])
    # A product that a sum follows directly may be compiled to a fused multiply-add, which rounds once less.
    shared = jnp.where((width > 0) & (height > 0), width * height, 0.0)
    areas = [jnp.where(value == value, value, 0.0) for value in (area(a), area(b))]
    return shared / jnp.maximum(areas[0] + areas[1] - shared, 1e-6)


def clip(boxes: Array, size: Array | Sequence[float]) -> Array:
    """Boxes cut at the borders of the image: x to [0, w], y to [0, h].

    Args:
        boxes: [..., 4].
        size: (h, w) of the image before it was padded; may be traced.
    """
    height, width = size[0], size[1]
    limits = jnp.stack([width, height, width, height]).astype(boxes.dtype)
    return jnp.clip(boxes, 0, limits)


def flip(boxes: Array, width: Array | float) -> Array:
    """Boxes of the image mirrored left to right: (w - x1, y0, w - x0, y1), without the - 1 of older code."""
    x0, y0, x1, y1 = jnp.moveaxis(boxes, -1, 0)
    return jnp.stack([width - x1, y0, width - x0, y1], axis=-1)


def encode(boxes: Array, anchors: Array, *, stds: Sequence[float] = RPN_STDS) -> Array:
    """Offsets of boxes from anchors, float32 [..., 4]: what a network is to predict; `decode` inverts it.

    Law: ((cx - ax) / aw, (cy - ay) / ah, log(w / aw), log(h / ah)) / stds, for centres and sides of box and
    anchor (bbox2delta of MMDetection; torchvision's BoxCoder has weights = 1 / stds). An empty box or anchor,
    such as padding, gets the side 1 here, so that nothing is infinite.

    Args:
        boxes, anchors: [..., 4], of shapes that broadcast.
        stds: 4 numbers.
    """
    centre, side = _centre(boxes), _side(boxes)
    anchor_centre, anchor_side = _centre(anchors), _side(anchors)
    side, anchor_side = (jnp.where(s > 0, s, 1) for s in (side, anchor_side))
    moved = (centre - anchor_centre) / anchor_side
    return jnp.concatenate([moved, jnp.log(side / anchor_side)], axis=-1) / jnp.array(stds, jnp.float32)


def decode(
    offsets: Array,
    anchors: Array,
    *,
    stds: Sequence[float] = RPN_STDS,
    logs: tuple[float, float] = (-LARGEST_LOG, LARGEST_LOG),
) -> Array:
    """Boxes at offsets from anchors, float32 [..., 4]; not clipped to the image.

    Law: centre a + offset * side of the anchor, side of the anchor * exp(offset), with the offsets times
    stds and those of the sides clipped to `logs` (delta2bbox of MMDetection, which clips on both sides;
    torchvision clips above only: logs=(-inf, LARGEST_LOG)).

    Args:
        offsets, anchors: [..., 4], of shapes that broadcast.
        stds: 4 numbers.
        logs: lower and upper limit of log(side / side of the anchor).
    """
    offsets = offsets.astype(jnp.float32) * jnp.array(stds, jnp.float32)
    side = _side(anchors)
    centre = _centre(anchors) + offsets[..., :2] * side
    half = 0.5 * side * jnp.exp(jnp.clip(offsets[..., 2:], *logs))
    return jnp.concatenate([centre - half, centre + half], axis=-1)


def _centre(boxes):
    return (boxes[..., :2] + boxes[..., 2:]) * 0.5


def _side(boxes):
    return boxes[..., 2:] - boxes[..., :2]
