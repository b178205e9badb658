"""Rematerialisation changes what is kept for the backward pass, and nothing else."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.find import find

CASES = {  # every network, and every random stream
    'wide_resnet': {'depth': 10, 'width': 1, 'dropout': 0.5},
    'shake_shake': {'depth': 8, 'width': 4},
    'resnet': {'depth': 14, 'width': 4},
}


def build(case, remat, **keywords):
    return find('models', case)(7, remat=remat, **CASES[case], **keywords)


def loss(model, images):
    """(loss, batch_stats) of parameters, and all random streams of the networks in use."""

    def fn(params, batch_stats):
        rngs = {'shake': jax.random.key(2), 'dropout': jax.random.key(3)}
        variables = {'params': params, 'batch_stats': batch_stats}
        logits, updated = model.apply(variables, images, train=True, mutable=['batch_stats'], rngs=rngs)
        return jnp.sum(logits[:, 0] ** 2), updated

    return fn


@pytest.mark.parametrize('case', CASES)
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


def test_the_released_blocks_have_the_same_parameters():
    images = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    made = [
        jax.eval_shape(build('wide_resnet', remat, variant='released').init, jax.random.key(0), images)
        for remat in (False, True)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize('case', CASES)
def test_less_is_kept_for_the_backward_pass(case):
    images = jnp.zeros((2, 32, 32, 3))
    kept = []
    for remat in (False, True):
        model = build(case, remat)
        variables = jax.eval_shape(model.init, jax.random.key(0), images)
        gradient = functools.partial(jax.vjp, loss(model, images), has_aux=True)
        _, residuals, _ = jax.eval_shape(gradient, variables['params'], variables['batch_stats'])
        kept.append(sum(leaf.size for leaf in jax.tree.leaves(residuals)))
    assert kept[1] < 0.7 * kept[0]
