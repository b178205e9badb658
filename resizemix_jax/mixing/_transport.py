"""The transport of Puzzle Mix: blocks of an image move to places where they are visible."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from resizemix_jax.mixing._op import vary_together

FAR = 1 << 24  # above every key of `_nearness`


def arrange(visible, worth, t_eps):
    """The block at each place, after blocks have moved to visible places.

    Law, the one of PuzzleMix's transport:
        bid     of block i for place j: t_eps * |i - j|^2 / (g - 1)^2 - worth_i, with the squared distance on
                the g x g grid. A block bids for visible places only, and only below 0.
        round   every block bids for the place where its bid is lowest, among those it has not yet lost (the
                nearest; ties go to the first in reading order); each place goes to the lowest bid, and ties
                to the first block. A block that loses a place does not bid for it again.
        g rounds, in which blocks that hold a place bid for it again and can lose it.
        A place without a holder keeps its own block: invisible places, and places whose own block has no
        saliency. A block that won no place is not shown.

    The public code bids with a dense cost matrix and adds 1 to a lost entry, which excludes it since
    worth_i <= 1; there a place without a holder is black, which happens where a block in the mask has no
    saliency. Its order in exact ties is undefined.

    Args:
        visible: bool [B, g, g].
        worth: float32 [B, g, g], >= 0, sum 1 per image.
        t_eps: >= 0, the cost of moving.

    Returns:
        int32 [B, g, g], numbers of blocks in reading order.
    """
    batch, side, _ = visible.shape
    count, problem = side * side, jnp.arange(batch)
    visible, worth = (a.reshape(batch, count).T for a in (visible, worth))  # the batch last, which vectorises
    block = jnp.arange(count)[:, None]
    near = jnp.asarray(_nearness(side))[:, :, None]

    def play(state):
        turn, lost, _, _ = state
        key = jnp.min(jnp.where(visible & (near > lost[:, None]), near, FAR), axis=1)
        place = key % count
        bid = jnp.where(key < FAR, t_eps * (key // count) / max(side - 1, 1) ** 2 - worth, 0)
        lowest = jnp.zeros_like(bid).at[place, problem].min(bid)
        best = (bid < 0) & (bid == lowest[place, problem])
        holder = jnp.full_like(place, count).at[place, problem].min(jnp.where(best, block, count))
        wins = best & (holder[place, problem] == block)
        again = jnp.where(wins, lost, key)
        return turn + 1, again, holder, jnp.any(again != lost)

    start = jnp.int32(0), jnp.full((count, batch), -1), jnp.full((count, batch), count), jnp.bool_(True)
    start, _ = vary_together((start, (visible, worth)))
    # Without a new loss, the next round would be the same.
    _, _, holder, _ = lax.while_loop(lambda state: (state[0] < side) & state[3], play, start)
    return jnp.where(holder < count, holder, block).T.reshape(batch, side, side)


def _nearness(side):
    """Keys int32 [blocks, places] that order the places of each block by squared distance, then number."""
    y, x = np.divmod(np.arange(side * side, dtype=np.int32), side)
    squared = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    return squared * side * side + np.arange(side * side, dtype=np.int32)
