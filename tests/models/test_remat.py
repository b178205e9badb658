"""Rematerialisation changes what is kept for the backward pass, and nothing else."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models.cases import CASES, make, needs, streams


def both(name, keywords):
    """The network without and with rematerialisation."""
    if 'remat' not in needs(name):
        pytest.skip(f'{name} has no rematerialisation')
    return [make(name, keywords, remat=remat) for remat in (False, True)]


def loss(model, images):
    """(loss, updated variables) of parameters and the other variables, with random draws."""

    def fn(params, others):
        variables = {'params': params} | others
        logits, updated = model.apply(
            variables, images, train=True, mutable=['batch_stats'], rngs=streams(model)
        )
        return jnp.sum(logits[:, 0] ** 2), updated

    return fn


def apart(variables):
    return variables['params'], {name: tree for name, tree in variables.items() if name != 'params'}


@CASES
@pytest.mark.slow
def test_same_parameters_values_and_gradients(name, keywords):
    images = jax.random.normal(jax.random.key(1), (2, 32, 32, 3))
    made = []
    for model in both(name, keywords):
        variables = jax.jit(model.init)(jax.random.key(0), images)
        gradient = jax.jit(jax.value_and_grad(loss(model, images), has_aux=True))
        made.append((variables, gradient(*apart(variables))))
    assert jax.tree.structure(made[0]) == jax.tree.structure(made[1])
    jax.tree.map(np.testing.assert_array_equal, made[0][0], made[1][0])
    for left, right in zip(*(jax.tree.leaves(result) for _, result in made), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-4 * max(1, float(jnp.abs(left).max())))


@CASES
@pytest.mark.slow
def test_less_is_kept_for_the_backward_pass(name, keywords):
    images = jnp.zeros((2, 32, 32, 3))
    kept = []
    for model in both(name, keywords):
        variables = jax.eval_shape(model.init, jax.random.key(0), images)
        gradient = functools.partial(jax.vjp, loss(model, images), has_aux=True)
        _, residuals, _ = jax.eval_shape(gradient, *apart(variables))
        kept.append(sum(leaf.size for leaf in jax.tree.leaves(residuals)))
    assert kept[1] < 0.7 * kept[0]
