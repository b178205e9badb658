"""Two updates of one parameter, worked out by hand, with b1 0.5, b2 0.75, lr 0.1 and gradients 4 and -4.

Step 1: m = 2, v = 4; unbiased m = 2 / 0.5 = 4, v = 4 / 0.25 = 16; m / sqrt(v) = 1.
Step 2: m = 1 - 2 = -1, v = 3 + 4 = 7; unbiased m = -1 / 0.75 = -4/3, v = 7 / 0.4375 = 16; m / sqrt(v) = -1/3.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.optimizers.adamw import adamw
from tests.optimizers.test_sgd import updated

FAST = dict(b1=0.5, b2=0.75)


@pytest.mark.parametrize(
    ('keywords', 'expected'),
    [
        (dict(weight_decay=0.0), [1.9, 1.9 + 0.1 / 3]),
        (dict(weight_decay=0.0, eps=4.0), [1.95, 1.95 + 0.1 / 6]),  # 4 / (4 + 4), then -(4/3) / (4 + 4)
        # 2 - 0.1 * (1 + 0.5 * 2) = 1.8; 1.8 - 0.1 * (-1/3 + 0.5 * 1.8)
        (dict(weight_decay=0.5, decay='all'), [1.8, 1.71 + 0.1 / 3]),
        # Without a parameter named kernel, nothing is decayed.
        (dict(weight_decay=0.5, decay='kernels'), [1.9, 1.9 + 0.1 / 3]),
    ],
)
def test_two_updates(keywords, expected):
    tx = adamw(lambda step: 0.1, **FAST, **keywords)
    np.testing.assert_allclose(updated(tx, gradients=(4.0, -4.0)), expected, rtol=1e-6)


@pytest.mark.slow
def test_the_defaults_decay_by_a_hundredth_of_the_learning_rate():
    params = {'dense': {'kernel': jnp.full((1, 1), 2.0), 'bias': jnp.full(1, 2.0)}}
    tx = adamw(lambda step: 0.1)
    updates, _ = tx.update(jax.tree.map(jnp.ones_like, params), tx.init(params), params)
    # The first step is lr times the sign of the gradient; the kernel loses 0.1 * 0.01 * 2 besides.
    np.testing.assert_allclose(updates['dense']['kernel'], [[-0.102]], rtol=1e-5)
    np.testing.assert_allclose(updates['dense']['bias'], [-0.1], rtol=1e-5)


@pytest.mark.parametrize(
    ('clip_norm', 'expected'),
    [
        # (3, 4) has norm 5. With eps = 1 the size of a gradient shows: g / (|g| + 1).
        (0.0, (3 / 4, 4 / 5)),
        (10.0, (3 / 4, 4 / 5)),
        (2.5, (1.5 / 2.5, 2 / 3)),  # both halved, by their common norm
    ],
)
def test_clipping_by_the_global_norm(clip_norm, expected):
    params = {'a': jnp.zeros(1), 'b': jnp.zeros((1, 1))}
    tx = adamw(lambda step: 1.0, **FAST, eps=1.0, weight_decay=0.0, clip_norm=clip_norm)
    updates, _ = tx.update({'a': jnp.array([3.0]), 'b': jnp.array([[4.0]])}, tx.init(params), params)
    np.testing.assert_allclose([-updates['a'][0], -updates['b'][0, 0]], expected, rtol=1e-6)


def test_clipping_comes_before_the_decay():
    params = {'kernel': jnp.full((1, 1), 100.0)}
    tx = adamw(lambda step: 0.1, weight_decay=0.5, clip_norm=1.0)
    updates, _ = tx.update({'kernel': jnp.zeros((1, 1))}, tx.init(params), params)
    np.testing.assert_allclose(updates['kernel'], [[-5.0]], rtol=1e-6)


def test_clipping_can_be_changed_in_a_continued_run():
    states = [adamw(lambda step: 0.1, clip_norm=norm).init({'w': jnp.ones(3)}) for norm in (0.0, 1.0)]
    assert jax.tree.structure(states[0]) == jax.tree.structure(states[1])


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        (dict(b1=1.0), r'optimizer_args.b1=1.0 must be in \[0, 1\)'),
        (dict(b2=-0.1), r'optimizer_args.b2=-0.1 must be in \[0, 1\)'),
        (dict(eps=0.0), 'optimizer_args.eps=0.0 must be > 0'),
        (dict(clip_norm=-1.0), 'optimizer_args.clip_norm=-1.0 must be >= 0'),
        (dict(weight_decay=-1.0), 'optimizer_args.weight_decay=-1.0 must be >= 0'),
        (dict(decay='some'), "optimizer_args.decay='some' must be one of: all, kernels"),
    ],
)
def test_values_out_of_range_are_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        adamw(lambda step: 0.1, **keywords)
