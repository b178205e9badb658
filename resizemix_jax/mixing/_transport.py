"""Blocks of an image that move to places where they are seen."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from resizemix_jax.mixing._op import vary_together

FAR = 1 << 24  # above every key of `_nearness`


def arrange(seen, worth, t_eps):
    """Which block stands at each place after the blocks have moved to places that are seen.

    Law, the one of PuzzleMix's transport:
        bid     of block i for place j: t_eps * |i - j|^2 / (g - 1)^2 - worth_i, with the squared distance on
                the g x g grid. A block bids for places that are seen only, and only below 0.
        round   every block bids for the place where its bid is lowest, of those it has not yet lost (the
                nearest; the first in reading order of equals); each place goes to the lowest bid, and of
                equal ones to the first block. Who loses a place does not bid for it again.
        g rounds, in which blocks that hold a place bid for it anew and can lose it.
        A place that nobody holds keeps its own block: the ones that are not seen, and ones whose own block
        is worth nothing. A block that won no place is not shown.

    The public code bids with a dense cost matrix and adds 1 to a lost entry, which as worth_i <= 1 takes it
    out of the contest; there a place that nobody holds is 0, which shows where a block in the mask has no
    saliency at all. Its own order in exact ties is undefined.

    Args:
        seen: bool [B, g, g].
        worth: float32 [B, g, g], >= 0, each image's with sum 1.
        t_eps: >= 0, the cost of moving.

    Returns:
        int32 [B, g, g], numbers of blocks in reading order.
    """
    batch, side, _ = seen.shape
    count, problem = side * side, jnp.arange(batch)
    seen, worth = (a.reshape(batch, count).T for a in (seen, worth))  # the batch last, as it vectorises
    block = jnp.arange(count)[:, None]
    near = jnp.asarray(_nearness(side))[:, :, None]

    def play(state):
        turn, lost, _, _ = state
        key = jnp.min(jnp.where(seen & (near > lost[:, None]), near, FAR), axis=1)
        place = key % count
        bid = jnp.where(key < FAR, t_eps * (key // count) / max(side - 1, 1) ** 2 - worth, 0)
        lowest = jnp.zeros_like(bid).at[place, problem].min(bid)
        best = (bid < 0) & (bid == lowest[place, problem])
        holder = jnp.full_like(place, count).at[place, problem].min(jnp.where(best, block, count))
        wins = best & (holder[place, problem] == block)
        again = jnp.where(wins, lost, key)
        return turn + 1, again, holder, jnp.any(again != lost)

    start = jnp.int32(0), jnp.full((count, batch), -1), jnp.full((count, batch), count), jnp.bool_(True)
    start, _ = vary_together((start, (seen, worth)))
    # A round that nobody loses would repeat itself.
    _, _, holder, _ = lax.while_loop(lambda state: (state[0] < side) & state[3], play, start)
    return jnp.where(holder < count, holder, block).T.reshape(batch, side, side)


def _nearness(side):
    """Keys int32 [blocks, places] that order the places of each block: squared distance, then number."""
    y, x = np.divmod(np.arange(side * side, dtype=np.int32), side)
    squared = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    return squared * side * side + np.arange(side * side, dtype=np.int32)
