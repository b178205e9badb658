"""Random samples of assigned anchors and proposals."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from resizemix_jax.detection.assign import BACKGROUND
from resizemix_jax.ranges import SHARE, Whole

# Keywords of `sample`, of MMDetection's configurations.
RPN = dict(size=256, positive_share=0.5)
HEAD = dict(size=512, positive_share=0.25)


class Sample(NamedTuple):
    """Some of the anchors or proposals of an image.

    Attributes:
        rows: int32 [size], which; 0 where `valid` is false.
        positive: bool [size], has a ground truth. Positives come first.
        valid: bool [size], false from where on there were no more.
    """

    rows: Array
    positive: Array
    valid: Array


def sample(key: Array, assigned: Array, *, size: int, positive_share: float) -> Sample:
    """A random sample of at most floor(size * positive_share) positives, filled up with background.

    Law: of more positives than that, a subset drawn uniformly; of the background, a uniform subset of what
    is left of `size`, or all if there is less. Nothing ignored. So `size` are drawn unless there is too
    little background, and scarce background is not replaced by positives.

    Source: RandomSampler of MMDetection, neg_pos_ub=-1. The draws are 31 bits an element; equal ones, of
    which a million elements have some hundred pairs, go by the index.

    Args:
        key: typed JAX key, of this image.
        assigned: int32 [N], by `assign`.
        size: how many.
        positive_share: in [0, 1].

    Raises:
        ValueError: a number out of range.
    """
    Whole(1).check(size=size)
    SHARE.check(positive_share=positive_share)
    (count,) = assigned.shape
    draws = (jax.random.bits(key, (count,), 'uint32') >> 1).astype(jnp.int32)
    positive, index = _largest(draws, assigned >= 0, int(size * positive_share))
    background, other = _largest(draws, assigned == BACKGROUND, size)
    index, valid = jnp.concatenate([index, other]), jnp.concatenate([positive, background])
    first = jnp.argsort(~valid, stable=True)[:size]  # the last of the background are cut off
    index, valid = index[first], valid[first]
    missing = (0, size - valid.shape[0])
    index, valid = jnp.pad(index, missing), jnp.pad(valid, missing)
    return Sample(jnp.where(valid, index, 0), valid & (jnp.arange(size) < jnp.sum(positive)), valid)


def _largest(draws, member, size):
    """(bool, int32) [at most size]: whether there was one more member, and which; by descending draw."""
    draw, index = lax.top_k(jnp.where(member, draws, -1), min(size, draws.shape[0]))
    return draw >= 0, index
