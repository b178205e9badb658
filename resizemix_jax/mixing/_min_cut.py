"""Exact labellings of many small grids at once by minimum cuts, in integers, wholly on the device.

The grids lie in the first two axes and the problems in the last, [h, w, B], so that each operation runs
over the problems. A cut is found by push-relabel (Goldberg and Tarjan, 1988), all nodes acting together:

    balance   what a node holds: > 0 is flow from the source that waits to be moved on, < 0 what the node's
              arc to the sink still takes. Flow that arrives where the balance is negative is delivered.
    room      what each arc to a neighbour still takes, one array a direction, 0 across the border.
    height    never above the number of arcs to the nearest node of negative balance (its distance).

A pulse pushes from every node to its neighbours that are one lower, then lifts every node to one more than
the lowest neighbour that it has room to. A pulse that lifts no node empties the highest level that holds
flow, and only a lift makes that level higher again; n nodes of heights up to n are lifted n^2 times at most,
so 2 n^2 pulses end it. In practice about a hundred do, since every `PULSES` pulses the heights are set to the
true distances. A node that is FAR then stays cut off; when no other holds flow, the FAR nodes are one side
of the cut.
"""

import jax.numpy as jnp
from jax import lax

from resizemix_jax.mixing._op import vary_together

STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # to the neighbour below, above, right, left
BACK = (1, 0, 3, 2)  # the opposite direction of each
FAR = 1 << 20  # the height of what cannot reach the sink
LIMIT = 1 << 22  # of a cost: 256 nodes of it add up to 2^30, and int32 ends at 2^31
PULSES = 16  # between two settings of the heights; 6 to 24 take about the same time


def cheapest_labels(steps, down, right):
    """The labels x in {0, .., n - 1} that minimise sum cost(x) + sum weight * (x_p - x_q)^2.

    `steps[k]` is what a node's cost grows by from label k to k + 1, and must not fall with k: then the sum is
    L-natural-convex, and n - 1 times the cheapest set of nodes that go one label up, from 0, lead to its
    minimum (Murota; Kolmogorov and Shioura, 2009). Each set is a cut with the same weights, since
    (d + m)^2 = d^2 + 2 d m + |m| for d = x_p - x_q and m in {-1, 0, 1}. Equal costs go to the lower labels.

    Args:
        steps: int32 [n - 1, h, w, B].
        down, right: see `cheapest_moves`.

    Returns:
        int32 [h, w, B].
    """

    def up(_, label):
        step = jnp.take_along_axis(steps, label[None], axis=0)[0]
        # 2 d m, summed over a node's neighbours.
        pull_down, pull_right = 2 * down * jnp.diff(label, axis=0), 2 * right * jnp.diff(label, axis=1)
        cost = step.at[:-1].add(-pull_down).at[1:].add(pull_down)
        cost = cost.at[:, :-1].add(-pull_right).at[:, 1:].add(pull_right)
        move, _ = cheapest_moves(cost, down, right)
        return label + move

    return lax.fori_loop(0, len(steps), up, jnp.zeros_like(steps[0]))


def cheapest_moves(cost, down, right):
    """The moves m in {0, 1} that minimise sum cost * m + sum weight * |m_p - m_q| over neighbours p, q.

    Of several minimisers it is the one with the fewest moves, which is contained in all others.

    Args:
        cost: int32 [h, w, B], |cost| < LIMIT; larger ones count as LIMIT. h * w <= 256.
        down: int32 [h - 1, w, B] weights >= 0 between a row and the next.
        right: int32 [h, w - 1, B] weights >= 0 between a column and the next.

    Returns:
        bool [h, w, B], True where m = 1, and the number of pulses that it took, int32 [].
    """
    down, right = jnp.minimum(down, LIMIT), jnp.minimum(right, LIMIT)
    room = (
        jnp.pad(down, ((0, 1), (0, 0), (0, 0))),
        jnp.pad(down, ((1, 0), (0, 0), (0, 0))),
        jnp.pad(right, ((0, 0), (0, 1), (0, 0))),
        jnp.pad(right, ((0, 0), (1, 0), (0, 0))),
    )
    balance = jnp.clip(cost, -LIMIT, LIMIT)

    def advance(state):
        balance, room, _, _, pulses = state
        height = distances(balance, room)
        more = jnp.any((balance > 0) & (height < FAR))
        count = jnp.where(more, PULSES, 0)
        balance, room, _ = lax.fori_loop(0, count, _pulse, (balance, room, height))
        return balance, room, height, more, pulses + count

    start = vary_together((balance, room, balance, jnp.bool_(True), jnp.int32(0)))
    _, _, height, _, pulses = lax.while_loop(lambda state: state[3], advance, start)
    return height < FAR, pulses


def distances(balance, room):
    """How many arcs with room lead to the nearest node of negative balance; FAR where none do."""

    def settle(state):
        height, _ = state
        nearer = jnp.minimum(height, _lowest(height, room) + 1)
        return nearer, jnp.any(nearer < height)

    start, _ = vary_together(((jnp.where(balance < 0, 0, FAR), jnp.bool_(True)), room))
    return lax.while_loop(lambda state: state[1], settle, start)[0]


def _pulse(_, state):
    balance, room, height = state
    left, flows = balance, []
    for step, space in zip(STEPS, room, strict=True):
        lower = height == _neighbour(height, step, FAR) + 1
        flow = jnp.where(lower & (height < FAR), jnp.clip(left, 0, space), 0)
        left = left - flow
        flows.append(flow)
    arriving = [_neighbour(flows[BACK[k]], step, 0) for k, step in enumerate(STEPS)]
    balance = left + sum(arriving)
    room = tuple(space - flow + arrived for space, flow, arrived in zip(room, flows, arriving, strict=True))
    lifted = jnp.where(balance < 0, 0, jnp.maximum(height, _lowest(height, room) + 1))
    return balance, room, jnp.minimum(lifted, FAR)


def _lowest(height, room):
    """The lowest height among the neighbours that a node has room to; FAR if it has room to none."""
    lowest = FAR
    for step, space in zip(STEPS, room, strict=True):
        lowest = jnp.minimum(lowest, jnp.where(space > 0, _neighbour(height, step, FAR), FAR))
    return lowest


def _neighbour(values, step, outside):
    """values[y + dy, x + dx] at (y, x), for step = (dy, dx)."""
    pads = [(max(-d, 0), max(d, 0)) for d in step] + [(0, 0)]
    height, width, _ = values.shape
    padded = jnp.pad(values, pads, constant_values=outside)
    y, x = (max(d, 0) for d in step)
    return padded[y : y + height, x : x + width]
