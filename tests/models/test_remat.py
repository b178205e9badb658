"""Rematerialisation changes what is kept for the backward pass, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.find import find
from tests.models.test_contract import SMALL

CASES = pytest.mark.parametrize('case', [*SMALL, 'wide_resnet dropout'])


def build(case, remat):
    keywords = SMALL.get(case) or SMALL['wide_resnet'] | {'dropout': 0.5}
    return find('models', case.split()[0])(7, remat=remat, **keywords)


def loss(model, images):
    """(loss, batch_stats) of parameters, and all random streams of the networks in use."""

    def fn(params, batch_stats):
        rngs = {'shake': jax.random.key(2), 'dropout': jax.random.key(3)}
        variables = {'params': params, 'batch_stats': batch_stats}
        logits, updated = model.apply(variables, images, train=True, mutable=['batch_stats'], rngs=rngs)
        return jnp.sum(logits[:, 0] ** 2), updated

    return fn


@CASES
def test_same_parameters_values_and_gradients(case):
    images = jax.random.normal(jax.random.key(1), (2, 32, 32, 3))
    made = {}
    for remat in (False, True):
        model = build(case, remat)
        variables = jax.jit(model.init)(jax.random.key(0), images)
        gradient = jax.jit(jax.value_and_grad(loss(model, images), has_aux=True))
        made[remat] = variables, gradient(variables['params'], variables['batch_stats'])
    assert jax.tree.structure(made[False]) == jax.tree.structure(made[True])
    jax.tree.map(np.testing.assert_array_equal, made[False][0], made[True][0])
    for left, right in zip(*(jax.tree.leaves(made[remat][1]) for remat in (False, True)), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-4 * max(1, float(jnp.abs(left).max())))


@CASES
def test_only_the_blocks_inputs_are_kept(case):
    """The blocks' insides are computed twice: once in the forward pass and once in the backward pass."""
    images = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    kept = {}
    for remat in (False, True):
        model = build(case, remat)
        variables = jax.eval_shape(model.init, jax.random.key(0), images)
        fn = lambda params, stats, images, m=model: loss(m, images)(params, stats)  # noqa: E731
        _, residuals, _ = jax.eval_shape(
            lambda p, s, x, fn=fn: jax.vjp(fn, p, s, x, has_aux=True), *variables.values(), images
        )
        kept[remat] = sum(leaf.size for leaf in jax.tree.leaves(residuals))
    assert kept[True] < 0.6 * kept[False]


def test_evaluation_and_cuts_are_the_same():
    images = jax.random.normal(jax.random.key(1), (2, 32, 32, 3))
    plain, other = (build('resnet', remat) for remat in (False, True))
    variables = jax.jit(plain.init)(jax.random.key(0), images)
    for method in ('__call__', 'features'):
        np.testing.assert_array_equal(
            *(jax.jit(lambda v, x, m=m: m.apply(v, x, method=method))(variables, images) for m in (plain, other))
        )
