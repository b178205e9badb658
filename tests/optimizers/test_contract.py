"""What holds for every optimiser: any tree of parameters, float32, weight decay as its contract says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import find

ALL = pytest.mark.parametrize('name', find.names('optimizers'))
PARAMS = {'layer': {'kernel': jnp.ones((2, 3)), 'bias': jnp.ones(3)}, 'tokens': jnp.ones((1, 2, 3))}


def make(name, **keywords):
    return find.find('optimizers', name)(lambda step: 0.1, **keywords)


@ALL
def test_updates_go_against_the_gradient(name):
    tx = make(name)
    grads = jax.tree.map(lambda p: jnp.full_like(p, 0.5), PARAMS)
    updates, state = jax.jit(tx.update)(grads, tx.init(PARAMS), PARAMS)
    assert jax.tree.structure(updates) == jax.tree.structure(PARAMS)
    assert jax.tree.structure(state) == jax.tree.structure(tx.init(PARAMS))
    for leaf in jax.tree.leaves(updates):
        assert leaf.dtype == jnp.float32 and (leaf < 0).all()


@ALL
@pytest.mark.slow
def test_the_schedule_scales_the_update(name):
    grads = jax.tree.map(jnp.ones_like, PARAMS)
    one, two = (find.find('optimizers', name)(lambda step, lr=lr: lr) for lr in (0.1, 0.2))
    first, _ = one.update(grads, one.init(PARAMS), PARAMS)
    second, _ = two.update(grads, two.init(PARAMS), PARAMS)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(2 * a, b, rtol=1e-5), first, second)


@ALL
@pytest.mark.parametrize('decay', ['all', 'kernels'])
@pytest.mark.slow
def test_weight_decay_shrinks_what_it_applies_to(name, decay):
    if not {'weight_decay', 'decay'} <= set(find.keywords(find.find('optimizers', name))):
        pytest.skip(f'{name} decays nothing')
    tx = make(name, weight_decay=0.1, decay=decay)
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, PARAMS), tx.init(PARAMS), PARAMS)
    assert (updates['layer']['kernel'] < 0).all()
    assert (updates['layer']['bias'] < 0).all() == (updates['tokens'] < 0).all() == (decay == 'all')
