"""Two updates of one parameter, worked out by hand.

p = 2, gradients 0.5 and -0.3, lr 0.1, momentum 0.9, weight decay 0.01:
    no decay   d 0.5, m 0.5;                d -0.3, m -0.3 + 0.45 = 0.15
    decay      d 0.5 + 0.02 = 0.52, m 0.52; then d = -0.3 + 0.01 * p, m = 0.468 + d
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.optimizers.sgd import sgd


def updated(tx, gradients=(0.5, -0.3), start=2.0):
    """The parameter after each gradient."""
    params = {'w': jnp.array([[start]])}
    state, values = tx.init(params), []
    for gradient in gradients:
        updates, state = tx.update({'w': jnp.array([[gradient]])}, state, params)
        params = jax.tree.map(jnp.add, params, updates)
        values.append(float(params['w'][0, 0]))
    return values


@pytest.mark.parametrize(
    ('keywords', 'expected'),
    [
        (dict(momentum=0.0, nesterov=False), [1.95, 1.98]),
        (dict(momentum=0.9, nesterov=False), [1.95, 1.935]),  # 1.95 - 0.1 * 0.15
        (dict(momentum=0.9, nesterov=True), [1.905, 1.9215]),  # 2 - 0.1 * 0.95; + 0.1 * (0.3 - 0.135)
        # 2 - 0.1 * 0.52; d = -0.28052, m = 0.18748
        (dict(momentum=0.9, nesterov=False, weight_decay=0.01), [1.948, 1.929252]),
        # 2 - 0.1 * 0.988 = 1.9012; d = -0.280988, m = 0.187012; d + 0.9 m = -0.1126772
        (dict(momentum=0.9, nesterov=True, weight_decay=0.01), [1.9012, 1.91246772]),
    ],
)
def test_two_updates(keywords, expected):
    np.testing.assert_allclose(updated(sgd(lambda step: 0.1, **keywords)), expected, rtol=1e-6)


def test_the_defaults_are_nesterov_momentum_without_decay():
    np.testing.assert_allclose(updated(sgd(lambda step: 0.1)), [1.905, 1.9215], rtol=1e-6)


def test_the_learning_rate_of_an_update_is_that_of_the_updates_before_it():
    tx = sgd(lambda step: jnp.array([1.0, 0.1])[step], momentum=0.0, nesterov=False)
    np.testing.assert_allclose(updated(tx), [1.5, 1.53], rtol=1e-6)


@pytest.mark.parametrize(('decay', 'bias'), [('all', 0.99), ('kernels', 1.0)])
def test_decay_of_all_or_of_kernels_alone(decay, bias):
    params = {'kernel': jnp.ones((2, 2)), 'bias': jnp.ones(2)}
    tx = sgd(lambda step: 0.1, momentum=0.0, nesterov=False, weight_decay=0.1, decay=decay)
    updates, _ = tx.update(jax.tree.map(jnp.zeros_like, params), tx.init(params), params)
    after = jax.tree.map(jnp.add, params, updates)
    np.testing.assert_allclose(after['kernel'], np.full((2, 2), 0.99), rtol=1e-6)
    np.testing.assert_allclose(after['bias'], np.full(2, bias), rtol=1e-6)


def test_the_state_has_the_tree_of_older_checkpoints():
    state = sgd(lambda step: 0.1).init({'w': jnp.ones(3)})
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(state)]
    assert paths == ["[1].trace['w']", '[2].count']


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        (dict(decay='some'), "optimizer_args.decay='some' must be one of: all, kernels"),
        (dict(momentum=1.0), r'optimizer_args.momentum=1.0 must be in \[0, 1\)'),
        (dict(momentum=0.0), 'optimizer_args.nesterov=True needs optimizer_args.momentum > 0'),
        (dict(weight_decay=-1.0), 'optimizer_args.weight_decay=-1.0 must be >= 0'),
        (dict(weight_decay=float('nan')), 'optimizer_args.weight_decay=nan must be a finite number >= 0'),
    ],
)
def test_values_out_of_range_are_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        sgd(lambda step: 0.1, **keywords)
