"""Images cut into g x g equal blocks, which are numbered in reading order."""

import math

import jax.numpy as jnp

from resizemix_jax.ranges import Several, Whole

FINEST = 16  # blocks a side: more would overflow the integers of the cut, and the transport's memory


def grids(images, blocks):
    """The members of `blocks` that divide both sides of the images."""
    _, height, width, _ = images.shape
    Several(Whole(2, FINEST)).check(blocks=blocks)
    fitting = [b for b in blocks if height % b == 0 and width % b == 0]
    if not fitting:
        raise ValueError(
            f'images of {height} x {width} pixels cannot be cut into equal blocks by any of '
            f'blocks={tuple(blocks)}; add a number that divides both sides, or crop the images'
        )
    return fitting


def parts_to_move(images, side, t_size):
    """The number of equal parts of a block's side that move: the fewest whose side is at most t_size pixels.

    If that is impossible, or gives more than FINEST parts a side of the image: as many as possible.
    """
    Whole(-1).check(t_size=t_size)
    if t_size == 0:
        raise ValueError('t_size=0 must be >= 1, or -1 for whole blocks')
    if t_size == -1:
        return 1
    block = [size // side for size in images.shape[1:3]]
    possible = [f for f in range(1, FINEST // side + 1) if math.gcd(*block) % f == 0]
    return next((f for f in possible if max(block) <= t_size * f), possible[-1])


def largest_divisor(length, most):
    """The largest divisor of `length` that is <= most."""
    return max(d for d in range(1, min(length, most) + 1) if length % d == 0)


def block_means(saliency, side):
    """The share of each map in each block, float32 [B, side, side]; uniform if a map is 0 or not finite."""
    batch, height, width = saliency.shape
    kept = jnp.maximum(saliency.astype(jnp.float32), 0)
    sums = kept.reshape(batch, side, height // side, side, width // side).sum(axis=(2, 4))
    total = sums.sum(axis=(1, 2), keepdims=True)
    known = (total > 0) & jnp.isfinite(total)
    return jnp.where(known, sums / jnp.where(known, total, 1), 1 / side**2)


def upsample_blocks(share, size):
    """[B, g, g] at the larger `size` (h, w): each value repeated over its block."""
    for axis, length in enumerate(size, start=1):
        share = jnp.repeat(share, length // share.shape[axis], axis=axis)
    return share


def rearrange(images, row, origin):
    """Images whose block at each place is block `origin[i]` (at that place) of image `row[i]`.

    Args:
        images: [B, H, W, C], with H and W multiples of g.
        row: int32 [B].
        origin: int32 [B, g, g].

    Returns:
        [B, H, W, C].
    """
    batch, height, width, channels = images.shape
    side = origin.shape[1]
    blocks = images.reshape(batch, side, height // side, side, width // side, channels)
    moved = blocks[row[:, None, None], origin // side, :, origin % side]
    return moved.swapaxes(2, 3).reshape(images.shape)
