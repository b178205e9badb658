"""Moving blocks, against the matrix form of the public code's law, written from its description."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing._grid import rearrange
from resizemix_jax.mixing._transport import arrange

moved = jax.jit(arrange)


def matrix_law(visible, worth, t_eps):
    """The plan of one image, bool [blocks, places]: a matrix of costs, in which lost entries grow by 1."""
    side = len(visible)
    y, x = np.divmod(np.arange(side * side), side)
    squared = ((y[:, None] - y) ** 2 + (x[:, None] - x) ** 2).astype(np.float32)
    cost = np.float32(t_eps) * squared / np.float32((side - 1) ** 2) - worth.reshape(-1, 1) * visible.reshape(
        1, -1
    )
    for _ in range(side):
        bids = np.zeros_like(cost, bool)
        bids[np.arange(side * side), cost.argmin(axis=1)] = True
        best = np.where(bids, cost, 0).argmin(axis=0)
        wins = np.zeros_like(bids)
        wins[best, np.arange(side * side)] = True
        wins &= bids
        cost = cost + (bids & ~wins)
    return wins


@pytest.mark.parametrize(('side', 't_eps', 'peaked'), [(2, 0.1, 4), (4, 0.8, 2), (8, 0.1, 3), (16, 0.8, 4)])
@pytest.mark.slow
def test_arrange_equals_the_law_of_the_matrix(side, t_eps, peaked):
    rng = np.random.default_rng(side)
    worth = rng.random((24, side, side)) ** peaked
    worth = (worth / worth.sum(axis=(1, 2), keepdims=True)).astype(np.float32)
    visible = rng.random((24, side, side)) < rng.random((24, 1, 1))
    origin = np.asarray(moved(visible, worth, t_eps)).reshape(24, -1)
    travelled = 0
    for i in range(24):
        plan = matrix_law(visible[i], worth[i], t_eps)
        assert plan.any(axis=0)[visible[i].ravel()].all()  # every visible place is held
        for place in np.flatnonzero(visible[i]):
            assert plan[origin[i, place], place]
            travelled += origin[i, place] != place
    assert travelled > 10


def test_a_salient_block_moves_to_the_nearest_visible_place():
    worth = jnp.array([[[0.9, 0.0], [0.1, 0.0]]])
    visible = jnp.array([[[False, True], [False, True]]])
    assert moved(visible, worth, 0.8).tolist() == [[[0, 0], [2, 3]]]  # 0 to place 1; 2 is not worth its way
    assert moved(visible, worth, 0.05).tolist() == [[[0, 0], [2, 2]]]
    assert moved(visible, worth, 1.0).tolist() == [[[0, 1], [2, 3]]]


@pytest.mark.slow
def test_a_place_without_a_bid_keeps_its_block():
    worth = jnp.array([[[0.5, 0.5, 0], [0, 0, 0], [0, 0, 0.0]]])
    origin = moved(jnp.ones((1, 3, 3), bool), worth, 0.8)
    np.testing.assert_array_equal(origin.ravel(), np.arange(9))
    assert moved(jnp.zeros((1, 3, 3), bool), worth, 0.0).ravel().tolist() == list(range(9))


def test_equal_bids_go_to_the_first_block_and_the_other_moves_on():
    worth = jnp.array([[[0.5, 0.0, 0.5]] + [[0, 0, 0]] * 2])
    visible = jnp.zeros((1, 3, 3), bool).at[0, 0, 1].set(True).at[0, 1, 1].set(True)
    origin = moved(visible, worth, 0.8)
    assert origin[0, 0, 1] == 0 and origin[0, 1, 1] == 2


def test_rearranged_blocks_are_whole():
    images = jnp.arange(2 * 4 * 6 * 2).reshape(2, 4, 6, 2)
    origin = np.array([[[3, 1], [2, 2]], [[0, 1], [2, 0]]])
    made = np.asarray(jax.jit(rearrange)(images, jnp.array([1, 0]), origin))
    for i, y, x in np.ndindex(2, 2, 2):
        block = np.asarray(images)[1 - i, origin[i, y, x] // 2 * 2 :, origin[i, y, x] % 2 * 3 :][:2, :3]
        np.testing.assert_array_equal(made[i, 2 * y : 2 * y + 2, 3 * x : 3 * x + 3], block)
