"""The search of SuperMix, against an oracle in NumPy that knows no gradient but differences."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing import _mask_search as mask_search
from tests.mixing.searching import BATCH, CELLS, HEIGHT, TEACHER, WIDTH, advance, problem_of, searched

# The oracle, in float64.


def larger(logits):
    """[k, n, n] -> [k, H, W]: bilinear, half-pixel centres, edges repeated."""
    for axis, size in ((1, HEIGHT), (2, WIDTH)):
        n = logits.shape[axis]
        at = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
        low = np.minimum(at.astype(int), n - 2)
        share = (at - low).reshape((-1, 1) if axis == 1 else (1, -1))
        logits = (1 - share) * logits.take(low, axis) + share * logits.take(low + 1, axis)
    return logits


def oracle_loss(logits, sources, target):
    """f of one row, and its masks."""
    ones = 1 / (1 + np.exp(-larger(logits)))
    masks = ones / ones.sum(0)
    image = (masks[..., None] * sources).sum(0)
    seen = TEACHER(image[None])[0]
    chance = np.exp(seen - seen.max()) / np.exp(seen - seen.max()).sum()
    at = target > 0
    divergence = (target[at] * np.log(target[at] / chance[at])).sum()
    return divergence + 25 * np.abs(masks * (masks - 1)).mean(), masks


def oracle_step(logits, sources, target):
    """The published step of one row."""
    value, _ = oracle_loss(logits, sources, target)
    gradient = np.empty_like(logits)
    for index in np.ndindex(*logits.shape):
        ends = []
        for sign in (1, -1):
            moved = logits.copy()
            moved[index] += sign * 1e-5
            ends.append(oracle_loss(moved, sources, target)[0])
        gradient[index] = (ends[0] - ends[1]) / 2e-5
    apart = (np.arange(CELLS)[:, None] - np.arange(CELLS)) ** 2
    kernel = np.exp(-apart / 2) / np.exp(-(np.arange(-30, 31) ** 2) / 2).sum()
    direction = kernel @ gradient @ kernel
    return -np.clip(abs(value) / ((gradient * direction).sum() + 1e-10), 1e-4, 2000) * direction


@pytest.mark.slow
@pytest.mark.parametrize('k', [2, 3])
def test_the_step_is_the_published_formula(k):
    drawn, begin = problem_of(k), searched(k)[0]
    logits = np.random.default_rng(0).normal(size=(2, k, CELLS, CELLS))
    sources, target = (np.asarray(a[:2], np.float64) for a in (drawn.sources, drawn.target))
    with jax.enable_x64():  # as exact as the oracle
        problem = drawn._replace(sources=jnp.asarray(sources), target=jnp.asarray(target))
        look = jax.jit(functools.partial(mask_search.evaluate_loss, TEACHER))
        loss, gradient, _ = look(problem, jnp.asarray(logits), 25.0)
        state = jax.tree.map(lambda a: a[:2], begin)._replace(logits=logits, loss=loss, gradient=gradient)
        moved = np.asarray(advance()(problem, state).logits)
        for i in range(2):
            expected, masks = oracle_loss(logits[i], sources[i], target[i])
            assert loss[i] == pytest.approx(expected, rel=1e-5)
            step = oracle_step(logits[i], sources[i], target[i])
            np.testing.assert_allclose(moved[i] - logits[i], step, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(
                mask_search.make_masks(jnp.asarray(logits[i : i + 1]), HEIGHT, WIDTH)[0], masks, rtol=1e-5
            )


@pytest.mark.parametrize(('loss', 'scale', 'size'), [(6.0, 1e-4, 2000.0), (1e-9, 1.0, 1e-4)])
@pytest.mark.slow
def test_step_sizes_are_bounded(loss, scale, size):
    begin = searched()[0]
    gradient = scale * jax.random.normal(jax.random.key(0), begin.gradient.shape)
    state = begin._replace(loss=jnp.full(BATCH, loss), gradient=gradient)
    moved = advance()(problem_of(), state).logits
    direction = mask_search.smooth(gradient, 1.0, 'symmetric')
    np.testing.assert_allclose(moved, -size * direction, rtol=1e-4, atol=1e-7)


@pytest.mark.slow
def test_masks_share_every_pixel():
    logits = jax.random.normal(jax.random.key(0), (4, 3, CELLS, CELLS)) * 30
    masks = mask_search.make_masks(logits, 9, 13)
    np.testing.assert_allclose(masks.sum(1), 1, rtol=1e-5)
    assert masks.min() >= 0 and masks.max() <= 1 and bool(jnp.isfinite(masks).all())
    # Far below zero the sigmoids are tiny, and still divide.
    tiny = jnp.stack([jnp.full((1, 2, 2), -1000.0), jnp.full((1, 2, 2), -1001.0)], 1)
    np.testing.assert_allclose(mask_search.make_masks(tiny, 3, 3)[0, 0], 1 / (1 + np.exp(-1)), rtol=1e-5)
    np.testing.assert_allclose(mask_search.make_masks(jnp.zeros((1, 3, 2, 2)), 3, 3), 1 / 3, rtol=1e-6)


@pytest.mark.slow
def test_smoothing_is_symmetric_positive_and_keeps_the_mass_inside():
    n = 9
    impulses = jnp.eye(n * n).reshape(-1, n, n)
    for sigma in (0.5, 1.0, 2.0):
        smoothed = mask_search.smooth(impulses, sigma, 'symmetric')
        matrix = np.asarray(smoothed, np.float64).reshape(n * n, n * n)
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-7)
        assert np.linalg.eigvalsh(matrix).min() > -1e-6
    inner = mask_search.smooth(jnp.zeros((n, n)).at[4, 4].set(1), 1.0, 'symmetric')
    assert float(inner.sum()) == pytest.approx(1, abs=1e-4)
    assert float(inner[4, 5] / inner[4, 4]) == pytest.approx(np.exp(-0.5), rel=1e-5)
    corner = mask_search.smooth(jnp.zeros((n, n)).at[0, 0].set(1), 1.0, 'symmetric')
    assert float(corner.sum()) == pytest.approx(((1 + 1 / np.sqrt(2 * np.pi)) / 2) ** 2, rel=1e-3)


@pytest.mark.parametrize(('sigma', 'taps'), [(1.0, 5), (2.0, 10), (1.3, 6), (0.2, 1)])
@pytest.mark.slow
def test_the_released_smoothing_is_a_padded_convolution_of_few_taps(sigma, taps):
    maps = np.random.default_rng(0).normal(size=(2, 7, 8))
    at = (np.arange(taps) - (taps - 1) / 2) / (taps / 5)
    kernel = np.exp(-(at**2) / 2) / np.exp(-(at**2) / 2).sum()
    before = taps // 2 - (1 if taps % 2 == 0 else 0)
    padded = np.pad(maps, ((0, 0), (before, taps // 2), (before, taps // 2)))
    rows = sum(kernel[j] * padded[:, j : j + 7] for j in range(taps))
    expected = sum(kernel[j] * rows[:, :, j : j + 8] for j in range(taps))
    square = np.zeros((2, 8, 8))
    square[:, :7] = maps  # a further row of zeros is what the padding is
    found = mask_search.smooth(jnp.asarray(square, jnp.float32), sigma, 'released')
    np.testing.assert_allclose(found[:, :7], expected, atol=1e-6)


@pytest.mark.slow
def test_released_rows_that_share_a_class_are_never_finished():
    problem, start = problem_of(), searched()[0]
    shared = np.asarray(problem.target > 0).sum(-1) == 1
    assert shared.any()
    step = jax.jit(
        functools.partial(mask_search.advance, TEACHER, sigma=1.0, lambda_s=25.0, variant='released')
    )
    state = start
    for _ in range(6):
        state = step(problem, state)
    finished = np.asarray(state.finished)
    assert not finished[shared].any() and finished[~shared].mean() > 0.5
    assert np.asarray(searched()[6].finished)[shared].any()  # by the other rule some are


@pytest.mark.slow
@pytest.mark.parametrize('k', [2, 3])
def test_finished_rows_match_the_target_and_stop(k):
    """The highest of the teacher are the target's classes; before and after that, rows move or rest."""
    problem, states = problem_of(k), searched(k)
    wanted = np.asarray(problem.target) > 0
    assert {2, 3} <= set(wanted.sum(-1)) | {3} and wanted.sum(-1).min() < k  # some share a class
    assert not states[0].finished.any()
    look = jax.jit(lambda logits: TEACHER(mask_search.mixed(problem, logits)))
    states = [jax.device_get(state) for state in states]
    for before, after in zip(states[:-1], states[1:], strict=True):
        seen = np.asarray(look(after.logits))
        for i in range(BATCH):
            highest = set(np.argsort(-seen[i])[: wanted[i].sum()])
            matches = highest == set(np.flatnonzero(wanted[i]))
            assert bool(after.finished[i]) == (matches or bool(before.finished[i]))
            moved = bool((after.logits[i] != before.logits[i]).any())
            assert moved == (not before.finished[i])
            assert int(after.steps[i]) == int(before.steps[i]) + moved
        np.testing.assert_array_equal(after.answer, seen.argmax(-1))
    assert 0.2 < float(states[1].finished.mean()) < 0.7 < float(states[-1].finished.mean())


def test_the_search_brings_the_teacher_to_the_target():
    problem, states = problem_of(), searched()
    done = np.asarray(states[-1].finished)
    measure = jax.jit(
        lambda s: mask_search.divergence(problem.target, TEACHER(mask_search.mixed(problem, s)))
    )
    divergences = [np.asarray(measure(state.logits)) for state in (states[0], states[-1])]
    hard = done & (np.asarray(states[-1].steps) > 1)
    assert hard.sum() > 4 and divergences[1][hard].mean() < 0.5 * divergences[0][hard].mean()
    masks = np.asarray(mask_search.make_masks(states[-1].logits, HEIGHT, WIDTH))
    assert (masks * (1 - masks)).mean() < 0.22  # 0.25 are equal masks


@pytest.mark.slow
def test_the_end_of_the_search():
    def state(unfinished, steps):
        finished = jnp.arange(10) >= unfinished
        return searched()[0]._replace(finished=finished, steps=jnp.full(10, steps))

    for unfinished, steps, leftover, expected in (
        (7, 3, 0.7, False), (8, 3, 0.7, True), (8, 50, 0.7, False), (1, 49, 0.0, True), (0, 0, 0.0, False),
    ):  # fmt: skip
        going = mask_search.should_continue(state(unfinished, steps), max_iters=50, leftover=leftover)
        assert bool(going) == expected
