"""The law of SuperMix, against an oracle in NumPy that knows no gradient but differences."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing import mask_search
from resizemix_jax.mixing.supermix import draw_problem, draw_sources, supermix
from tests.mixing import teachers

BATCH, HEIGHT, WIDTH, CLASSES, CELLS = 32, 8, 12, 6, 4
TEACHER = teachers.linear(CLASSES, gain=4.0)
SEARCH = dict(sigma=1.0, lambda_s=25.0)


def make_images(size=BATCH):
    """Random fields that are smooth enough to have a class."""
    coarse = jax.random.normal(jax.random.key(5), (size, 4, 4, 2))
    return 2 * jax.image.resize(coarse, (size, HEIGHT, WIDTH, 2), 'nearest')


@functools.cache
def problem_of(k=2):
    return draw_problem(jax.random.key(1), make_images(), TEACHER, k=k, alpha=3.0)


@functools.cache
def advance():
    return jax.jit(functools.partial(mask_search.advance, TEACHER, **SEARCH))


@functools.cache
def searched(k=2, steps=10):
    """The search at its beginning and after every step."""
    problem = problem_of(k)
    made = [mask_search.begin(TEACHER, problem, mask_size=CELLS, lambda_s=25.0)]
    for _ in range(steps):
        made.append(advance()(problem, made[-1]))
    return made


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


@pytest.mark.parametrize('k', [2, 3])
def test_the_step_is_the_published_formula(k):
    drawn, begin = problem_of(k), searched(k)[0]
    logits = np.random.default_rng(0).normal(size=(2, k, CELLS, CELLS))
    sources, target = (np.asarray(a[:2], np.float64) for a in (drawn.sources, drawn.target))
    with jax.enable_x64():  # as exact as the oracle
        problem = drawn._replace(sources=jnp.asarray(sources), target=jnp.asarray(target))
        look = jax.jit(functools.partial(mask_search.look, TEACHER))
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


def test_sources_are_the_next_of_a_shuffled_batch():
    chosen = np.asarray(draw_sources(jax.random.key(3), 16, 3))
    assert chosen[:, 0].tolist() == list(range(16))
    following = dict(chosen[:, :2].tolist())
    assert chosen[:, 2].tolist() == [following[i] for i in chosen[:, 1].tolist()]
    at, seen = 0, set()
    while at not in seen:  # one ring through the whole batch
        seen.add(at)
        at = following[at]
    assert len(seen) == 16
    assert np.asarray(draw_sources(jax.random.key(3), 2, 4)).tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]
    followers = {int(draw_sources(jax.random.key(seed), 4, 2)[0, 1]) for seed in range(30)}
    assert followers == {1, 2, 3}


@pytest.mark.parametrize(('k', 'alpha'), [(2, 3.0), (3, 0.5)])
def test_weights_are_dirichlet_for_every_image(k, alpha):
    draw = jax.jit(lambda key: draw_problem(key, make_images(), TEACHER, k=k, alpha=alpha).weights)
    weights = np.asarray(jax.lax.map(draw, jax.random.split(jax.random.key(0), 200)))
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)
    variance = (1 / k) * (1 - 1 / k) / (k * alpha + 1)
    count = weights[..., 0].size
    np.testing.assert_allclose(weights.mean((0, 1)), 1 / k, atol=6 * (variance / count) ** 0.5)
    np.testing.assert_allclose(weights.var((0, 1)), variance, rtol=0.06)
    assert abs(np.corrcoef(weights[:, 0, 0], weights[:, 1, 0])[0, 1]) < 6 / 200**0.5


def test_the_target_is_of_the_teacher_s_classes():
    problem = problem_of()
    seen = np.asarray(TEACHER(make_images())).argmax(-1)
    expected = np.zeros((BATCH, CLASSES))
    for i in range(BATCH):
        for j in range(2):
            expected[i, seen[problem.chosen[i, j]]] += problem.weights[i, j]
    np.testing.assert_allclose(problem.target, expected, atol=1e-6)
    np.testing.assert_array_equal(problem.sources, make_images()[problem.chosen])


def test_masks_share_every_pixel():
    logits = jax.random.normal(jax.random.key(0), (4, 3, CELLS, CELLS)) * 30
    masks = mask_search.make_masks(logits, 9, 13)
    np.testing.assert_allclose(masks.sum(1), 1, rtol=1e-5)
    assert masks.min() >= 0 and masks.max() <= 1 and bool(jnp.isfinite(masks).all())
    # Far below zero the sigmoids are tiny, and still divide.
    tiny = jnp.stack([jnp.full((1, 2, 2), -1000.0), jnp.full((1, 2, 2), -1001.0)], 1)
    np.testing.assert_allclose(mask_search.make_masks(tiny, 3, 3)[0, 0], 1 / (1 + np.exp(-1)), rtol=1e-5)
    np.testing.assert_allclose(mask_search.make_masks(jnp.zeros((1, 3, 2, 2)), 3, 3), 1 / 3, rtol=1e-6)


def test_smoothing_is_symmetric_positive_and_keeps_the_mass_inside():
    n = 9
    impulses = jnp.eye(n * n).reshape(-1, n, n)
    for sigma in (0.5, 1.0, 2.0):
        matrix = np.asarray(mask_search.smooth(impulses, sigma), np.float64).reshape(n * n, n * n)
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-7)
        assert np.linalg.eigvalsh(matrix).min() > -1e-6
    inner = mask_search.smooth(jnp.zeros((n, n)).at[4, 4].set(1), 1.0)
    assert float(inner.sum()) == pytest.approx(1, abs=1e-4)
    assert float(inner[4, 5] / inner[4, 4]) == pytest.approx(np.exp(-0.5), rel=1e-5)
    corner = mask_search.smooth(jnp.zeros((n, n)).at[0, 0].set(1), 1.0)
    assert float(corner.sum()) == pytest.approx(((1 + 1 / np.sqrt(2 * np.pi)) / 2) ** 2, rel=1e-3)


@pytest.mark.parametrize('k', [2, 3])
def test_what_finished_means(k):
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


def test_the_end_of_the_search():
    def state(unfinished, steps):
        finished = jnp.arange(10) >= unfinished
        return searched()[0]._replace(finished=finished, steps=jnp.full(10, steps))

    for unfinished, steps, leftover, expected in (
        (7, 3, 0.7, False), (8, 3, 0.7, True), (8, 50, 0.7, False), (1, 49, 0.0, True), (0, 0, 0.0, False),
    ):  # fmt: skip
        going = mask_search.goes_on(state(unfinished, steps), max_iters=50, leftover=leftover)
        assert bool(going) == expected


@pytest.mark.parametrize('leftover', [0.7, 0.0])
def test_the_op_is_the_search_and_leaves_the_unfinished_as_they_were(leftover):
    images = make_images()
    labels = jax.nn.softmax(3 * jax.random.normal(jax.random.key(2), (BATCH, CLASSES)))
    options = dict(teacher=TEACHER, mask_size=CELLS, leftover=leftover, max_iters=3)
    mixed, mixed_labels = jax.jit(functools.partial(supermix, **options))(jax.random.key(1), images, labels)
    states = [s for s in searched() if not mask_search.goes_on(s, max_iters=3, leftover=leftover)]
    problem, found = problem_of(), states[0]
    done = np.asarray(found.finished)
    assert 0 < done.sum() < BATCH and (int(found.steps.max()) == 3) == (leftover == 0.0)
    np.testing.assert_array_equal(mixed[~done], images[~done])
    np.testing.assert_array_equal(mixed_labels[~done], labels[~done])
    np.testing.assert_allclose(mixed[done], mask_search.mixed(problem, found.logits)[done], atol=1e-3)
    weights, chosen = np.asarray(problem.weights), np.asarray(problem.chosen)
    expected = (weights[..., None] * np.asarray(labels)[chosen]).sum(1)
    np.testing.assert_allclose(mixed_labels[done], expected[done], atol=1e-6)


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        (dict(teacher=None), 'supermix needs teacher, a function from images to the logits.*--mode=generate'),
        (dict(teacher=teachers.linear(3)), r'the teacher gives logits \[4, 3\]; the labels need \[4, 6\]'),
        (dict(k=1), 'k=1 must be >= 2'),
        (dict(alpha=0.0), 'alpha=0.0 must be > 0'),
        (dict(sigma=0.0), 'sigma=0.0 must be > 0'),
        (dict(mask_size=9), r'mask_size=9 must be in 1\.\.8: masks are made larger, to 8 x 12'),
        (dict(mask_size=0), r'mask_size=0 must be in 1\.\.8'),
        (dict(lambda_s=-1.0), 'lambda_s=-1.0 must be >= 0'),
        (dict(max_iters=0), 'max_iters=0 must be >= 1'),
        (dict(leftover=1.0), r'leftover=1.0 must be in \[0, 1\)'),
    ],
)
def test_bad_input_is_refused(keywords, message, key):
    with pytest.raises(ValueError, match=message):
        supermix(key, make_images(4), jnp.eye(4, CLASSES), **{'teacher': TEACHER, **keywords})


def test_one_class_is_refused(key):
    with pytest.raises(ValueError, match='labels of 1 class: it takes at least 2'):
        supermix(key, make_images(4), jnp.ones((4, 1)), teacher=teachers.linear(1))
