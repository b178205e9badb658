import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.models.shake_shake import shake, shake_shake

pytestmark = pytest.mark.slow


def test_forward_and_backward_weights_are_independent_and_per_image(key):
    key_forward, key_backward = jax.random.split(key)
    ones, zeros = jnp.ones((4000, 2, 2, 1)), jnp.zeros((4000, 2, 2, 1))

    def total(first, second):
        return shake(first, second, key_forward, key_backward).sum()

    forward = np.asarray(shake(ones, zeros, key_forward, key_backward))
    first, second = (np.asarray(g) for g in jax.grad(total, argnums=(0, 1))(ones, zeros))
    a, b = forward[:, 0, 0, 0], first[:, 0, 0, 0]
    np.testing.assert_allclose(forward, a[:, None, None, None] * np.ones((2, 2, 1)), atol=1e-6)
    np.testing.assert_allclose(first + second, 1, atol=1e-6)
    for weights in (a, b):
        assert weights.mean() == pytest.approx(0.5, abs=6 * (1 / 12 / 4000) ** 0.5)
        assert weights.var() == pytest.approx(1 / 12, rel=0.1)
    assert abs(np.corrcoef(a, b)[0, 1]) < 6 / 4000**0.5


def test_bfloat16_has_the_draws_of_float32(key):
    key_forward, key_backward = jax.random.split(key)
    ones, zeros = (jnp.full((4000, 1, 1, 1), value, jnp.bfloat16) for value in (1, 0))
    whole = shake(*(x.astype(jnp.float32) for x in (ones, zeros)), key_forward, key_backward)
    half = np.asarray(shake(ones, zeros, key_forward, key_backward), np.float32)
    np.testing.assert_allclose(half, whole, atol=0.01)
    assert (half == 0).sum() < 12 and half.mean() == pytest.approx(0.5, abs=6 * (1 / 12 / 4000) ** 0.5)


def test_evaluation_takes_the_mean_and_draws_nothing():
    model = shake_shake(3, depth=8, width=4)
    images = jax.random.normal(jax.random.key(0), (2, 8, 8, 3))
    variables = jax.jit(model.init)(jax.random.key(1), images)
    apply = jax.jit(model.apply)
    np.testing.assert_array_equal(apply(variables, images), apply(variables, images))  # no rng is asked for


def test_training_differs_by_key_and_by_image():
    model = shake_shake(3, depth=8, width=4)
    images = jnp.broadcast_to(jax.random.normal(jax.random.key(0), (1, 8, 8, 3)), (4, 8, 8, 3))
    variables = jax.jit(model.init)(jax.random.key(1), images)
    apply = jax.jit(
        lambda key: model.apply(variables, images, train=True, mutable=['batch_stats'], rngs={'shake': key})[
            0
        ]
    )
    one, again, other = apply(jax.random.key(5)), apply(jax.random.key(5)), apply(jax.random.key(6))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, other)
    assert not np.allclose(one[0], one[1])
