"""The conventions of torch that the networks share."""

import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.models import _layers as layers


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
