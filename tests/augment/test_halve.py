import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from resizemix_jax.augment.halve import METHODS, WITHOUT_DRAW, halve


@pytest.mark.parametrize('shape', [(8, 6), (9, 7), (4, 4)])
def test_random_crops_are_uniform_windows_of_half_the_side(shape, key):
    height, width = shape
    image = np.arange(height * width, dtype=np.uint8).reshape(height, width, 1)  # no pixel twice
    images = jnp.broadcast_to(image, (6000, *image.shape))
    out = np.asarray(jax.jit(functools.partial(halve, method='random_crop'))(key, images))
    h, w = height // 2, width // 2
    assert out.shape == (6000, h, w, 1) and out.dtype == np.uint8
    y, x = np.divmod(out[:, 0, 0, 0], width)
    windows = y[:, None, None] + np.arange(h)[:, None], x[:, None, None] + np.arange(w)
    np.testing.assert_array_equal(out[..., 0], windows[0] * width + windows[1])
    counts = np.histogram2d(y, x, [np.arange(height - h + 2), np.arange(width - w + 2)])[0]
    expected = 6000 / counts.size
    assert abs(counts - expected).max() < 6 * expected**0.5


def test_center_crop_is_the_middle_window():
    image = jnp.arange(36, dtype=jnp.uint8).reshape(1, 6, 6, 1)
    out = halve(None, image, method='center_crop')
    np.testing.assert_array_equal(out[0, :, :, 0], [[7, 8, 9], [13, 14, 15], [19, 20, 21]])
    odd = halve(None, jnp.arange(25, dtype=jnp.uint8).reshape(1, 5, 5, 1), method='center_crop')
    np.testing.assert_array_equal(odd[0, :, :, 0], [[6, 7], [11, 12]])


@pytest.mark.parametrize('shape', [(32, 32), (28, 20), (15, 33)])
def test_resize_is_within_one_level_of_pillow(shape):
    images = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    out = np.asarray(jax.jit(functools.partial(halve, method='resize'))(None, images))
    size = (shape[1] // 2, shape[0] // 2)
    expected = [np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BILINEAR)) for i in images]
    assert out.dtype == np.uint8 and out.shape == (2, shape[0] // 2, shape[1] // 2, 3)
    assert abs(out.astype(int) - expected).max() <= 1
    assert (out == expected).mean() > 0.8


@pytest.mark.parametrize('method', METHODS)
def test_a_key_is_needed_only_to_draw(method):
    images = jnp.zeros((2, 6, 4, 1), jnp.uint8)
    if method in WITHOUT_DRAW:
        shape = images.shape if method == 'full' else (2, 3, 2, 1)
        assert halve(None, images, method=method).shape == shape
    else:
        with pytest.raises(ValueError, match=f"method='{method}' draws and needs a key"):
            halve(None, images, method=method)


def test_an_unknown_method_is_refused(key):
    with pytest.raises(ValueError, match="method='quarter' must be one of: full, random_crop, center_crop"):
        halve(key, jnp.zeros((1, 4, 4, 1), jnp.uint8), method='quarter')


def test_images_that_have_no_half_are_refused():
    assert halve(None, jnp.zeros((1, 1, 4, 1), jnp.uint8), method='full').shape == (1, 1, 4, 1)
    with pytest.raises(ValueError, match='images of 1 x 4 pixels cannot be halved'):
        halve(None, jnp.zeros((1, 1, 4, 1), jnp.uint8), method='resize')
