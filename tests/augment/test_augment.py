import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from resizemix_jax.augment import halve
from resizemix_jax.augment.crop_flip import crop_flip
from resizemix_jax.augment.none import none
from resizemix_jax.normalize import normalize


def reference(image, y, x, padding, mirror):
    height, width, _ = image.shape
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    crop = padded[y : y + height, x : x + width]
    return crop[:, ::-1] if mirror else crop


@pytest.mark.parametrize('flip', [True, False])
def test_every_output_is_a_crop_and_all_are_drawn_equally(flip, key):
    image = np.arange(1, 5 * 4 + 1, dtype=np.uint8).reshape(5, 4, 1)  # no pixel twice, none black
    known = {
        reference(image, y, x, 1, mirror).tobytes(): (y, x, mirror)
        for y in range(3)
        for x in range(3)
        for mirror in ((False, True) if flip else (False,))
    }
    images = jnp.broadcast_to(image, (9000, *image.shape))
    out = np.asarray(
        jax.jit(crop_flip, static_argnames=('padding', 'flip'))(key, images, padding=1, flip=flip)
    )
    counts = {}
    for one in out:
        drawn = known[one.tobytes()]  # KeyError: not a crop of the padded image
        counts[drawn] = counts.get(drawn, 0) + 1
    expected = 9000 / len(known)
    assert len(counts) == len(known) == (18 if flip else 9)
    assert max(abs(count - expected) for count in counts.values()) < 6 * expected**0.5
    assert out.dtype == np.uint8


def test_no_padding_and_no_flip_change_nothing(key):
    images = jax.random.randint(key, (3, 6, 5, 2), 0, 256).astype(jnp.uint8)
    np.testing.assert_array_equal(crop_flip(key, images, padding=0, flip=False), images)
    np.testing.assert_array_equal(none(key, images), images)


def test_bad_padding_is_refused(key):
    with pytest.raises(ValueError, match='padding=-1 must be >= 0'):
        crop_flip(key, jnp.zeros((1, 4, 4, 1), jnp.uint8), padding=-1)


def test_normalize():
    images = jnp.array([0, 51, 255], jnp.uint8).reshape(1, 3, 1, 1) * jnp.ones((1, 1, 1, 2), jnp.uint8)
    out = normalize(images, (0.2, 0.0), (0.5, 1.0))
    assert out.dtype == jnp.float32
    np.testing.assert_allclose(out[0, :, 0, 0], [-0.4, 0.0, 1.6], atol=1e-6)
    np.testing.assert_allclose(out[0, :, 0, 1], [0.0, 0.2, 1.0], atol=1e-6)


@pytest.mark.parametrize('shape', [(8, 6), (9, 7), (4, 4)])
def test_random_crops_are_windows_of_half_the_side_drawn_alike(shape, key):
    height, width = shape
    image = np.arange(height * width, dtype=np.uint8).reshape(height, width, 1)  # no pixel twice
    images = jnp.broadcast_to(image, (6000, *image.shape))
    out = np.asarray(jax.jit(halve.random_crop)(key, images))
    h, w = height // 2, width // 2
    assert out.shape == (6000, h, w, 1) and out.dtype == np.uint8
    y, x = np.divmod(out[:, 0, 0, 0], width)
    windows = y[:, None, None] + np.arange(h)[:, None], x[:, None, None] + np.arange(w)
    np.testing.assert_array_equal(out[..., 0], windows[0] * width + windows[1])
    counts = np.histogram2d(y, x, [np.arange(height - h + 2), np.arange(width - w + 2)])[0]
    expected = 6000 / counts.size
    assert abs(counts - expected).max() < 6 * expected**0.5


def test_center_crop_is_the_middle():
    image = jnp.arange(36, dtype=jnp.uint8).reshape(1, 6, 6, 1)
    out = halve.center_crop(None, image)
    np.testing.assert_array_equal(out[0, :, :, 0], [[7, 8, 9], [13, 14, 15], [19, 20, 21]])
    odd = halve.center_crop(None, jnp.arange(25, dtype=jnp.uint8).reshape(1, 5, 5, 1))
    np.testing.assert_array_equal(odd[0, :, :, 0], [[6, 7], [11, 12]])


@pytest.mark.parametrize('shape', [(32, 32), (28, 20), (15, 33)])
def test_resizing_is_pillow_s_to_one_level(shape):
    images = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), np.uint8)
    out = np.asarray(jax.jit(halve.resize)(None, images))
    size = (shape[1] // 2, shape[0] // 2)
    expected = [np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BILINEAR)) for i in images]
    assert out.dtype == np.uint8 and out.shape == (2, shape[0] // 2, shape[1] // 2, 3)
    assert abs(out.astype(int) - expected).max() <= 1
    assert (out == expected).mean() > 0.8
