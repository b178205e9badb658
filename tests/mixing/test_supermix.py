"""The law of SuperMix: its draws, its targets, and what the op makes of the search."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from resizemix_jax.mixing import _mask_search as mask_search
from resizemix_jax.mixing.supermix import draw_problem, draw_sources, supermix
from tests.mixing import contexts, teachers
from tests.mixing.searching import BATCH, CELLS, CLASSES, TEACHER, make_images, problem_of, searched


@pytest.mark.slow
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
@pytest.mark.slow
def test_weights_are_dirichlet_for_every_image(k, alpha):
    draw = jax.jit(lambda key: draw_problem(key, make_images(), TEACHER, k=k, alpha=alpha).weights)
    weights = np.asarray(jax.lax.map(draw, jax.random.split(jax.random.key(0), 200)))
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)
    variance = (1 / k) * (1 - 1 / k) / (k * alpha + 1)
    count = weights[..., 0].size
    np.testing.assert_allclose(weights.mean((0, 1)), 1 / k, atol=6 * (variance / count) ** 0.5)
    np.testing.assert_allclose(weights.var((0, 1)), variance, rtol=0.06)
    assert abs(np.corrcoef(weights[:, 0, 0], weights[:, 1, 0])[0, 1]) < 6 / 200**0.5


@pytest.mark.slow
def test_the_target_has_the_classes_of_the_teacher():
    problem = problem_of()
    seen = np.asarray(TEACHER(make_images())).argmax(-1)
    expected = np.zeros((BATCH, CLASSES))
    for i in range(BATCH):
        for j in range(2):
            expected[i, seen[problem.chosen[i, j]]] += problem.weights[i, j]
    np.testing.assert_allclose(problem.target, expected, atol=1e-6)
    np.testing.assert_array_equal(problem.sources, make_images()[problem.chosen])


@pytest.mark.parametrize('leftover', [0.7, 0.0])
@pytest.mark.slow
def test_the_op_is_the_search_and_leaves_the_unfinished_as_they_were(leftover):
    images = make_images()
    labels = jax.nn.softmax(3 * jax.random.normal(jax.random.key(2), (BATCH, CLASSES)))
    options = dict(teacher=TEACHER, mask_size=CELLS, leftover=leftover, max_iters=3, variant='symmetric')
    mixed, mixed_labels = jax.jit(functools.partial(supermix, **options))(jax.random.key(1), images, labels)
    states = [s for s in searched() if not mask_search.should_continue(s, max_iters=3, leftover=leftover)]
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
        (dict(k=1), 'k=1 must be from 2 to 64'),
        (dict(alpha=0.0), 'alpha=0.0 must be > 0'),
        (dict(sigma=0.0), 'sigma=0.0 must be >= 0.2'),
        (dict(mask_size=9), r'mask_size=9 must be in 1\.\.8: masks are upsampled to 8 x 12'),
        (dict(mask_size=0), 'mask_size=0 must be >= 1'),
        (dict(lambda_s=-1.0), 'lambda_s=-1.0 must be >= 0'),
        (dict(max_iters=0), 'max_iters=0 must be >= 1'),
        (dict(leftover=1.0), r'leftover=1.0 must be in \[0, 1\)'),
        (dict(variant='paper'), "variant='paper' must be one of: released, symmetric"),
        (dict(sigma=0.1), 'sigma=0.1 must be >= 0.2'),
    ],
)
def test_bad_input_is_refused(keywords, message, key):
    with pytest.raises(ValueError, match=message):
        supermix(key, make_images(4), jnp.eye(4, CLASSES), **{'teacher': TEACHER, **keywords})


def test_one_class_is_refused(key):
    with pytest.raises(ValueError, match='labels of 1 class cannot be mixed; at least 2 classes'):
        supermix(key, make_images(4), jnp.ones((4, 1)), teacher=teachers.linear(1))


@pytest.mark.slow
def test_a_teacher_may_have_parameters_on_explicit_axes():
    """Its parameters are used where it is called, inside an op that itself runs with Auto axes."""
    mesh = contexts.mesh_of(AxisType.Explicit)
    kernel = jax.random.normal(jax.random.key(1), (2, CLASSES))
    images, labels = make_images(4), jnp.eye(CLASSES)[:4]

    @jax.jit
    def mix(kernel, images, labels):
        teacher = lambda images: images.mean((1, 2)) @ kernel  # noqa: E731
        return supermix(jax.random.key(0), images, labels, teacher=teacher, mask_size=CELLS, max_iters=1)

    expected = mix(kernel, images, labels)
    with jax.set_mesh(mesh):
        batch = jax.device_put((images, labels), NamedSharding(mesh, P('batch')))
        mixed = mix(jax.device_put(kernel, NamedSharding(mesh, P())), *batch)
    for one, two in zip(mixed, expected, strict=True):
        np.testing.assert_allclose(one, two, atol=contexts.TOLERANCE)
