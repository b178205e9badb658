"""Resizing to drawn sizes, against jax.image.resize and its law in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing._resize import KERNELS, resize, weights

ALL = pytest.mark.parametrize('method', KERNELS)


@ALL
@pytest.mark.parametrize('antialias', [True, False])
@pytest.mark.slow
def test_weights_are_jax_image_s(method, antialias):
    for side, sizes in ((32, (1, 3, 11, 25, 32)), (20, (2, 19))):
        found = jax.jit(weights, static_argnums=(1, 2, 3, 4))(jnp.array(sizes), side, 32, method, antialias)
        for weight, size in zip(found, sizes, strict=True):
            eye = jax.image.resize(jnp.eye(side), (side, size), method, antialias=antialias)
            np.testing.assert_allclose(weight[:, :size], eye, atol=1e-5)
            assert not weight[:, size:].any()


@ALL
@pytest.mark.slow
def test_every_image_has_a_size_of_its_own(method, key):
    images = jax.random.normal(key, (5, 16, 24, 3))
    h, w = jnp.array([0, 1, 7, 12, 12]), jnp.array([0, 1, 10, 18, 3])
    patches = jax.jit(resize, static_argnums=(2, 3, 4))(images, (h, w), (12, 18), method, True)
    assert patches.shape == (5, 12, 18, 3)
    for i in range(5):
        expected = np.zeros((12, 18, 3), np.float32)
        if h[i]:
            small = jax.image.resize(images[i], (int(h[i]), int(w[i]), 3), method)
            expected[: h[i], : w[i]] = small
        np.testing.assert_allclose(patches[i], expected, atol=1e-5)  # the error of its float32 centres


@pytest.mark.slow
def test_one_size_for_all_images_and_the_dtype_of_the_images(key):
    images = jax.random.normal(key, (3, 16, 16, 2))
    one = jnp.array([9])
    both = [resize(x, (one, one), (9, 9), 'linear', True) for x in (images, images.astype(jnp.bfloat16))]
    np.testing.assert_allclose(both[0], jax.image.resize(images, (3, 9, 9, 2), 'linear'), atol=1e-6)
    assert both[1].dtype == jnp.bfloat16
    np.testing.assert_allclose(both[1].astype(jnp.float32), both[0], atol=0.05)


@ALL
@pytest.mark.parametrize('antialias', [True, False])
@pytest.mark.slow
def test_a_line_of_a_large_image_is_the_law_in_float64(method, antialias):
    side, size = 224, 171
    x = np.random.default_rng(0).normal(size=side)
    centre = (np.arange(size) + 0.5) * side / size - 0.5
    distance = abs(centre - np.arange(side)[:, None]) * (size / side if antialias else 1)
    weight = {
        'linear': np.maximum(1 - distance, 0),
        'cubic': np.select(
            [distance < 1, distance < 2],
            [1.5 * distance**3 - 2.5 * distance**2 + 1,
             -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2],
        ),
        'lanczos3': np.where(distance < 3, np.sinc(distance) * np.sinc(distance / 3), 0),
        'lanczos5': np.where(distance < 5, np.sinc(distance) * np.sinc(distance / 5), 0),
    }[method]  # fmt: skip
    image = jnp.asarray(x, jnp.float32)[None, :, None, None]
    patch = resize(image, (jnp.array([size]), jnp.array([1])), (size, 1), method, antialias)
    np.testing.assert_allclose(
        patch[0, :, 0, 0], x @ (weight / weight.sum(0)), atol=1e-6 if method == 'linear' else 2e-6
    )
