"""The conventions of torch that the networks share."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import layers


def test_stride_two_pads_as_torch_does():
    # On 4 pixels with kernel ones and stride 2, torch's padding (1, 1) sums pixels 0..1 and 1..3;
    # Flax's SAME would pad (0, 1) and sum 0..2 and 2..3.
    conv = layers.conv(1, 3, 2, dtype='float32', name='conv')
    images = jnp.array([1.0, 10.0, 100.0, 1000.0])[None, None, :, None] * jnp.ones((1, 4, 1, 1))
    out = conv.apply({'params': {'kernel': jnp.ones((3, 3, 1, 1)).at[0].set(0).at[2].set(0)}}, images)
    np.testing.assert_array_equal(out[0, 0, :, 0], [11.0, 1110.0])


@pytest.mark.parametrize('init', ['normal_fan_in', 'normal_fan_out', 'torch_uniform'])
def test_initialisation_has_its_variance(init, key):
    kernel = getattr(layers, init)(key, (3, 3, 64, 256))
    variance = {
        'normal_fan_in': 2 / (9 * 64),
        'normal_fan_out': 2 / (9 * 256),
        'torch_uniform': 1 / (27 * 64),
    }
    assert float(kernel.var()) == pytest.approx(variance[init], rel=0.02)
    if init == 'torch_uniform':
        assert float(abs(kernel).max()) <= (9 * 64) ** -0.5


def normalise(x):
    """(output, running statistics) of a fresh BatchNorm in training."""
    norm = layers.batch_norm(True, '', 'float32')()
    variables = norm.init(jax.random.key(0), x)
    return jax.jit(lambda x: norm.apply(variables, x, mutable=['batch_stats']))(x)


@pytest.mark.parametrize('shape', [(4, 8, 8, 8), (64, 16, 16, 16), (64, 8)], ids=str)
@pytest.mark.parametrize('ratio', [0, 100, 1000])
@pytest.mark.slow
def test_batch_norm_keeps_its_digits_where_the_mean_is_large(shape, ratio):
    x = np.random.default_rng(0).normal(ratio, 1, shape).astype(np.float32)
    axes, exact = tuple(range(x.ndim - 1)), x.astype(np.float64)
    y, updated = normalise(x)
    mean, var = exact.mean(axes), exact.var(axes)
    error = abs(y - (exact - mean) / np.sqrt(var + 1e-5)).max()
    # torch 2.14's error is 5e-6 at 100 and 4e-5 to 6e-5 at 1000; E[x^2] - E[x]^2 is off by 0.3 at 1000.
    assert error < 3 * max(5e-6, 5e-8 * ratio)
    np.testing.assert_allclose(updated['batch_stats']['mean'], 0.1 * mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(updated['batch_stats']['var'], 0.9 + 0.1 * var, rtol=1e-5)


def test_batch_norm_survives_a_first_image_far_from_the_others():
    x = np.random.default_rng(0).normal(1000, 1e-3, (64, 4, 4, 3)).astype(np.float32)
    x[0] += 1
    exact = x.astype(np.float64)
    y, _ = normalise(x)
    expected = (exact - exact.mean((0, 1, 2))) / np.sqrt(exact.var((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(y, expected, atol=2e-3)


@pytest.mark.slow
def test_batch_norm_has_the_gradient_of_flax_s_own(key):
    x, weight = jax.random.normal(key, (2, 6, 5, 5, 3))

    def loss(kind, x):
        norm = kind(use_running_average=False, epsilon=1e-5, dtype='float32')
        variables = norm.init(jax.random.key(0), x)
        return jnp.sum(norm.apply(variables, x, mutable=['batch_stats'])[0] * weight)

    ours, flax = (jax.grad(lambda x, k=kind: loss(k, x))(x) for kind in (layers.BatchNorm, nn.BatchNorm))
    np.testing.assert_allclose(ours, flax, atol=1e-5)


@pytest.mark.parametrize('mean', [0, 30])
@pytest.mark.slow
def test_the_classifier_multiplies_in_float32(mean, key):
    features = (mean + jax.random.normal(key, (4, 2, 2, 64))).astype(jnp.bfloat16)
    pooled = layers.global_pool(features)
    layer = layers.classifier(7, 64)
    variables = layer.init(key, pooled)
    kernel, bias = (np.asarray(variables['params'][name], np.float64) for name in ('kernel', 'bias'))
    expected = np.asarray(features, np.float64).mean((1, 2)) @ kernel + bias
    assert pooled.dtype == jnp.float32
    np.testing.assert_allclose(layer.apply(variables, pooled), expected, rtol=1e-5, atol=1e-5)
