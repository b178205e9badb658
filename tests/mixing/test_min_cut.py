"""Minimum cuts against all labellings of tiny grids, and against SciPy's maximum flow on full ones."""

import itertools

import jax
import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from resizemix_jax.mixing import _min_cut as min_cut

SIDE = 16
moves = jax.jit(min_cut.cheapest_moves)
labels = jax.jit(min_cut.cheapest_labels)


def energies(x, steps, down, right):
    """Of the labellings x [M, h, w] of one grid: int64 [M]."""
    costs = np.concatenate([np.zeros_like(steps[:1]), np.cumsum(steps, axis=0)])
    own = sum(np.where(x == k, costs[k], 0) for k in range(len(costs)))
    borders = (down * np.diff(x, axis=1) ** 2).sum((1, 2)) + (right * np.diff(x, axis=2) ** 2).sum((1, 2))
    return own.sum(axis=(1, 2)) + borders


def energy(x, steps, down, right):
    return energies(x[None].astype(np.int64), steps, down, right)[0]


def layered_minimum(steps, down, right):
    """The least energy, as the maximum flow of Ishikawa's graph: a node for every step of every pixel."""
    layers, height, width = steps.shape
    node = np.arange(steps.size).reshape(steps.shape)
    source, sink = steps.size, steps.size + 1
    arcs = []

    def add(tail, head, capacity):
        shape = np.broadcast_shapes(np.shape(tail), np.shape(head), np.shape(capacity))
        arcs.append([np.broadcast_to(a, shape).ravel() for a in (tail, head, capacity)])

    unary = steps.astype(np.int64)
    # With i ones of n - 1: (i - j)^2 = unlike pairs + i (i - (n - 1)) + j (j - (n - 1)).
    around = np.pad(down, ((0, 1), (0, 0))) + np.pad(down, ((1, 0), (0, 0)))
    around = around + np.pad(right, ((0, 0), (0, 1))) + np.pad(right, ((0, 0), (1, 0)))
    for k, m in itertools.product(range(layers), repeat=2):
        for a, b in ((node[k, :-1], node[m, 1:]), (node[m, 1:], node[k, :-1])):
            add(a, b, down)
        for a, b in ((node[k, :, :-1], node[m, :, 1:]), (node[m, :, 1:], node[k, :, :-1])):
            add(a, b, right)
    for k in range(layers):
        unary[k] += around * (2 * k + 1 - layers)
    for k in range(1, layers):  # a step needs the one before
        add(node[k - 1], node[k], 1 << 29)
    add(source, node, np.maximum(unary, 0))
    add(node, sink, np.maximum(-unary, 0))
    tails, heads, capacities = (np.concatenate(a) for a in zip(*arcs, strict=True))
    graph = csr_matrix((capacities.astype(np.int32), (tails, heads)), shape=(sink + 1, sink + 1))
    return maximum_flow(graph, source, sink).flow_value + int(np.minimum(unary, 0).sum())


def random_problems(rng, shape, layers, count, cost=20, weight=12):
    steps = np.sort(rng.integers(-cost, cost + 1, (layers, *shape, count)), axis=0)
    down = rng.integers(0, weight, (shape[0] - 1, shape[1], count))
    right = rng.integers(0, weight, (shape[0], shape[1] - 1, count))
    return tuple(a.astype(np.int32) for a in (steps, down, right))


@pytest.mark.parametrize(
    ('shape', 'n', 'count'), [((2, 2), 4, 200), ((3, 3), 2, 200), ((3, 2), 3, 200), ((1, 5), 3, 50)]
)
def test_no_labelling_of_a_tiny_grid_is_cheaper(shape, n, count):
    problems = random_problems(np.random.default_rng(n), shape, n - 1, count)
    found = np.asarray(labels(*problems))
    every = np.array(list(itertools.product(range(n), repeat=shape[0] * shape[1]))).reshape(-1, *shape)
    ties = 0
    for i in range(count):
        one = [a[..., i] for a in problems]
        all_energies = energies(every, *one)
        best = every[all_energies == all_energies.min()]
        assert energy(found[..., i], *one) == all_energies.min()
        np.testing.assert_array_equal(found[..., i], np.min(best, axis=0))  # the lowest of equals
        ties += len(best) > 1
    assert ties > 1


def picture_like(rng, count, scale):
    """Costs as of saliency maps: smooth, of mean 0."""
    field = rng.normal(size=(SIDE, SIDE, count))
    for _ in range(4):
        for axis in (0, 1):
            field = (np.roll(field, 1, axis) + field + np.roll(field, -1, axis)) / 3
    cost = scale * field / field.std()
    weights = (rng.integers(600, 1800, (SIDE, SIDE, count)) for _ in range(2))
    down, right = next(weights)[1:], next(weights)[:, 1:]
    return tuple(a.astype(np.int32) for a in (cost[None], down, right))


def snake(rng, count, thickness):
    """One long corridor between walls without arcs, flow at one end and the sink at the other."""
    free = np.zeros((SIDE, SIDE), int)
    free[:: 2 * thickness] = 1
    for turn, row in enumerate(range(thickness, SIDE, 2 * thickness)):
        free[row - thickness : row + thickness + 1, -1 if turn % 2 == 0 else 0] = 1
    strength = rng.integers(1, 1000, (SIDE, SIDE, count)) * free[..., None]
    down = np.minimum(strength[1:], strength[:-1])
    right = np.minimum(strength[:, 1:], strength[:, :-1])
    cost = np.zeros((SIDE, SIDE, count), int)
    cost[0, 0] = 5000
    cost[tuple(np.argwhere(free)[-1])] = -5000
    return tuple(a.astype(np.int32) for a in (cost[None], down, right))


def constant(value, weight, count):
    full = np.full((SIDE, SIDE, count), weight, np.int32)
    return np.full((1, SIDE, SIDE, count), value, np.int32), full[1:], full[:, 1:]


def adversarial(rng):
    """Every kind twice, stacked along the batch: they are solved together, as in a batch."""
    board = np.indices((SIDE, SIDE)).sum(axis=0)[None, ..., None] % 2 * 2 - 1
    halves = np.where(np.arange(SIDE) < SIDE // 2, 1, -1)[None, :, None, None] * np.ones(
        (1, SIDE, SIDE, 2), int
    )
    _, down, right = constant(0, 1200, 2)
    kinds = {
        'snake': snake(rng, 2, 1),
        'wide snake': snake(rng, 2, 2),
        'zero': constant(0, 0, 2),
        'equal costs': constant(7, 100, 2),
        'equal weights, no costs': constant(0, 1200, 2),
        'zigzag': (1000 * np.tile(board, (1, 1, 1, 2)), down, right),
        'zigzag of the least cost': (np.tile(board, (1, 1, 1, 2)), down, right),
        'huge': (min_cut.LIMIT * halves, down, right),
        'huge and strong': (min_cut.LIMIT * halves, down + min_cut.LIMIT, right + min_cut.LIMIT),
        'noise of huge costs': (
            rng.integers(-min_cut.LIMIT, min_cut.LIMIT, (1, SIDE, SIDE, 2)), 1000 * down, 1000 * right,
        ),
        'rough': random_problems(rng, (SIDE, SIDE), 1, 2, cost=100, weight=200),
        'saliency': picture_like(rng, 2, 1000),
        'weak saliency': picture_like(rng, 2, 50),
    }  # fmt: skip
    return [np.concatenate([kind[i] for kind in kinds.values()], axis=-1).astype(np.int32) for i in range(3)]


@pytest.mark.slow
def test_full_grids_cost_what_a_maximum_flow_says():
    steps, down, right = adversarial(np.random.default_rng(0))
    found, pulses = moves(steps[0], down, right)
    for i in range(steps.shape[-1]):
        one = steps[..., i], down[..., i], right[..., i]
        assert energy(np.asarray(found)[..., i], *one) == layered_minimum(*one), i
    # What is proven is 2 * 256^2.
    assert int(pulses) < 2000


@pytest.mark.slow
def test_three_labels_on_full_grids_cost_what_a_maximum_flow_says():
    rng = np.random.default_rng(1)
    steps, down, right = picture_like(rng, 4, 2500)
    steps = np.concatenate([steps - 600, steps + 600])
    found = np.asarray(labels(steps, down, right))
    assert set(np.unique(found)) == {0, 1, 2}
    for i in range(4):
        one = steps[..., i], down[..., i], right[..., i]
        assert energy(found[..., i], *one) == layered_minimum(*one)


@pytest.mark.slow
def test_a_problem_is_independent_of_its_batch():
    steps, down, right = adversarial(np.random.default_rng(2))
    found = np.asarray(moves(steps[0], down, right)[0])
    for chosen in ([0, 3], [21, 25]):
        alone, _ = moves(steps[0][..., chosen], down[..., chosen], right[..., chosen])
        np.testing.assert_array_equal(alone, found[..., chosen])
