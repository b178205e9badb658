"""The region proposals of Faster R-CNN's first stage."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array, lax

from resizemix_jax.detection.boxes import LARGEST_LOG, clip, decode
from resizemix_jax.detection.nms import suppress
from resizemix_jax.ranges import NOT_NEGATIVE, Whole


def propose(
    logits: Sequence[Array],
    offsets: Sequence[Array],
    anchors: Sequence[Array],
    valid: Sequence[Array],
    size: Array,
    *,
    before: int = 2000,
    after: int = 1000,
    threshold: float = 0.7,
    least_side: float = 0.0,
    logs: tuple[float, float] = (-LARGEST_LOG, LARGEST_LOG),
) -> tuple[Array, Array, Array]:
    """The best boxes of all levels after NMS within each: (boxes [after, 4], scores [after], valid [after]).

    Law: of each level the `before` anchors of the largest logits; their boxes, decoded and clipped to the
    image; without those of a side < least_side; NMS within the level; then the best `after` of all. Scores
    are sigmoid(logit). The order is that of the logits, which is the scores' where those round to 1, too.
    No gradient goes through: proposals are constants to what follows.

    Source: RPNHead of MMDetection, nms_pre 2000 in training and 1000 in evaluation, nms_post 1000.
    torchvision's RegionProposalNetwork: least_side=1e-3, logs=(-inf, LARGEST_LOG).

    Args:
        logits: [N_l] a level.
        offsets: [N_l, 4] a level, of stds 1.
        anchors: [N_l, 4] a level.
        valid: [N_l] a level, see `anchors.inside`.
        size: (h, w) of the image before it was padded.
        before, after: how many a level, and in all.
        threshold: of NMS, in [0, 1].
        least_side: pixels; 0 keeps empty boxes, too, as MMDetection does.
        logs: see `decode`.

    Raises:
        ValueError: a number out of range.
    """
    Whole(1).check(before=before, after=after)
    NOT_NEGATIVE.check(least_side=least_side)
    logits, offsets = lax.stop_gradient((tuple(logits), tuple(offsets)))
    before = min(before, max(len(level) for level in logits))
    best = [_best(*level, before, logs) for level in zip(logits, offsets, anchors, valid, strict=True)]
    boxes, scores, found = (jnp.stack(arrays) for arrays in zip(*best, strict=True))
    boxes = clip(boxes, size)
    sides = boxes[..., 2:] - boxes[..., :2]
    found &= jnp.all(sides >= least_side, axis=-1)
    keep = jax.vmap(lambda b, v: suppress(b, v, threshold=threshold))(boxes, found)
    scores = jnp.where(keep, scores, -jnp.inf).reshape(-1)
    scores, index = lax.top_k(scores, min(after, len(scores)))
    kept = scores > -jnp.inf
    boxes = jnp.where(kept[:, None], boxes.reshape(-1, 4)[index], 0.0)
    scores = jnp.where(kept, jax.nn.sigmoid(scores), 0.0)
    missing = (0, after - len(scores))
    return jnp.pad(boxes, (missing, (0, 0))), jnp.pad(scores, missing), jnp.pad(kept, missing)


def _best(logits, offsets, anchors, valid, before, logs):
    """(boxes, logits, valid) of a level's largest logits, padded to `before`."""
    logits = jnp.where(valid.astype(bool), logits.astype(jnp.float32), -jnp.inf)
    top, index = lax.top_k(logits, min(before, len(logits)))
    boxes = decode(jnp.asarray(offsets)[index], jnp.asarray(anchors)[index], logs=logs)
    missing = (0, before - len(top))
    top = jnp.pad(top, missing, constant_values=-jnp.inf)
    return jnp.pad(boxes, (missing, (0, 0))), top, top > -jnp.inf
