"""Exact labellings of many small grids at once by minimum cuts, in integers, entirely on the device.

The grids are the first two axes and the problems the last, [h, w, B], so that each operation is vectorised
over the problems. A cut is found by parallel push-relabel (Goldberg and Tarjan, 1988):

    excess    of a node: > 0 is flow from the source that is still to be pushed on, < 0 the residual capacity
              of the node's arc to the sink. Flow that reaches a node of negative excess has reached the sink.
    residual  the residual capacity of each arc to a neighbour, one array a direction, 0 across the border.
    height    at most the number of arcs to the nearest node of negative excess (its distance).

A pulse pushes from every node to its neighbours that are one lower, then lifts every node to one more than
its lowest neighbour with residual capacity. A pulse that lifts no node empties the highest level with
positive excess, and only a lift can raise that level again; n nodes of heights up to n are lifted at most n^2
times, so 2 n^2 pulses are enough. In practice about a hundred are, since every `PULSES` pulses the heights
are reset to the true distances. A node that is FAR then stays separated; when no other has positive excess,
the FAR nodes are one side of the cut.
"""

import jax.numpy as jnp
from jax import lax

from resizemix_jax.mixing._op import vary_together

STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # to the neighbour below, above, right, left
BACK = (1, 0, 3, 2)  # the opposite direction of each
FAR = 1 << 20  # the height of a node that cannot reach the sink
LIMIT = 1 << 22  # of a cost: the sum over 256 nodes is 2^30, which fits in int32
PULSES = 16  # between two resets of the heights; 6 to 24 take about the same time


def cheapest_labels(steps, down, right):
    """The labels x in {0, .., n - 1} that minimise sum cost(x) + sum weight * (x_p - x_q)^2.

    `steps[k]` is the increase of a node's cost from label k to k + 1, and must not decrease with k: then the
    sum is L-natural-convex, and n - 1 times moving the cheapest set of nodes one label up, from 0, reaches
    its minimum (Murota; Kolmogorov and Shioura, 2009). Each set is a cut with the same weights, since
    (d + m)^2 = d^2 + 2 d m + |m| for d = x_p - x_q and m in {-1, 0, 1}. Ties go to the lower labels.

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

    Of several minimisers it is the one with the fewest moves, a subset of all others.

    Args:
        cost: int32 [h, w, B], |cost| < LIMIT; larger ones count as LIMIT. h * w <= 256.
        down: int32 [h - 1, w, B] weights >= 0 between a row and the next.
        right: int32 [h, w - 1, B] weights >= 0 between a column and the next.

    Returns:
        bool [h, w, B], True where m = 1, and the number of pulses, int32 [].
    """
    down, right = jnp.minimum(down, LIMIT), jnp.minimum(right, LIMIT)
    residual = (
        jnp.pad(down, ((0, 1), (0, 0), (0, 0))),
        jnp.pad(down, ((1, 0), (0, 0), (0, 0))),
        jnp.pad(right, ((0, 0), (0, 1), (0, 0))),
        jnp.pad(right, ((0, 0), (1, 0), (0, 0))),
    )
    excess = jnp.clip(cost, -LIMIT, LIMIT)

    def advance(state):
        excess, residual, _, _, pulses = state
        height = distances(excess, residual)
        more = jnp.any((excess > 0) & (height < FAR))
        count = jnp.where(more, PULSES, 0)
        excess, residual, _ = lax.fori_loop(0, count, _pulse, (excess, residual, height))
        return excess, residual, height, more, pulses + count

    start = vary_together((excess, residual, excess, jnp.bool_(True), jnp.int32(0)))
    _, _, height, _, pulses = lax.while_loop(lambda state: state[3], advance, start)
    return height < FAR, pulses


def distances(excess, residual):
    """The number of residual arcs to the nearest node of negative excess; FAR where there is no path."""

    def settle(state):
        height, _ = state
        nearer = jnp.minimum(height, _lowest(height, residual) + 1)
        return nearer, jnp.any(nearer < height)

    start, _ = vary_together(((jnp.where(excess < 0, 0, FAR), jnp.bool_(True)), residual))
    return lax.while_loop(lambda state: state[1], settle, start)[0]


def _pulse(_, state):
    excess, residual, height = state
    left, flows = excess, []
    for step, capacity in zip(STEPS, residual, strict=True):
        lower = height == _neighbour(height, step, FAR) + 1
        flow = jnp.where(lower & (height < FAR), jnp.clip(left, 0, capacity), 0)
        left = left - flow
        flows.append(flow)
    arriving = [_neighbour(flows[BACK[k]], step, 0) for k, step in enumerate(STEPS)]
    excess = left + sum(arriving)
    residual = tuple(
        capacity - flow + arrived for capacity, flow, arrived in zip(residual, flows, arriving, strict=True)
    )
    lifted = jnp.where(excess < 0, 0, jnp.maximum(height, _lowest(height, residual) + 1))
    return excess, residual, jnp.minimum(lifted, FAR)


def _lowest(height, residual):
    """The lowest height among the neighbours to which a node has residual capacity; FAR if there is none."""
    lowest = FAR
    for step, capacity in zip(STEPS, residual, strict=True):
        lowest = jnp.minimum(lowest, jnp.where(capacity > 0, _neighbour(height, step, FAR), FAR))
    return lowest


def _neighbour(values, step, outside):
    """values[y + dy, x + dx] at (y, x), for step = (dy, dx)."""
    pads = [(max(-d, 0), max(d, 0)) for d in step] + [(0, 0)]
    height, width, _ = values.shape
    padded = jnp.pad(values, pads, constant_values=outside)
    y, x = (max(d, 0) for d in step)
    return padded[y : y + height, x : x + width]
