import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.normalize import denormalize, normalize


def test_normalize():
    images = jnp.array([0, 51, 255], jnp.uint8).reshape(1, 3, 1, 1) * jnp.ones((1, 1, 1, 2), jnp.uint8)
    out = normalize(images, (0.2, 0.0), (0.5, 1.0))
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out[0, :, 0, 0], [-0.4, 0.0, 1.6], atol=1e-6)
    np.testing.assert_allclose(out[0, :, 0, 1], [0.0, 0.2, 1.0], atol=1e-6)


@pytest.mark.slow
def test_denormalize_is_the_inverse():
    images = jnp.arange(256, dtype=jnp.uint8).reshape(1, 16, 8, 2)
    mean, std = (0.2, 0.49), (0.5, 0.26)
    np.testing.assert_array_equal(denormalize(normalize(images, mean, std), mean, std), images)
    out_of_range = jnp.array([-9.0, 9.0]).reshape(1, 1, 1, 2)
    assert denormalize(out_of_range, mean, std).tolist() == [[[[0, 255]]]]
