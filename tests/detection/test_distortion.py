import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.detection import distortion


def images(count=1, side=16):
    return np.random.default_rng(0).uniform(-40, 290, (count, side, side, 3)).astype(np.float32)


def test_hsv_is_opencv_s():
    image = images(side=64)[0]
    image[0] = image[0, :, :1]  # grey
    image[1] = 0
    image[2] = np.round(image[2] / 64) * 64  # ties
    expected = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    h, s, v = (np.asarray(a) for a in distortion.to_hsv(jnp.asarray(image)))
    difference = np.abs(h - expected[..., 0])
    assert np.minimum(difference, 360 - difference).max() < 1e-3
    np.testing.assert_allclose(s, expected[..., 1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(v, expected[..., 2])


def test_and_back():
    rng = np.random.default_rng(1)
    hsv = np.stack(
        [rng.uniform(0, 360, (64, 64)), rng.uniform(0, 1.5, (64, 64)), rng.uniform(-40, 290, (64, 64))], -1
    )
    hsv = hsv.astype(np.float32)
    hsv[0, :, 0] = 360
    hsv[1, :, 0] = np.arange(64) % 7 * 60
    expected = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    found = distortion.to_rgb(*map(jnp.asarray, np.moveaxis(hsv, -1, 0)))
    np.testing.assert_allclose(found, expected, atol=1e-4 * 290)


def test_grey_images_keep_to_brightness_and_contrast():
    """Without colour, saturation, hue and channels change nothing, so every pixel is a x + b."""
    plain = np.broadcast_to(np.linspace(50, 200, 16, dtype=np.float32)[:, None, None], (200, 16, 1, 3))
    found = np.asarray(distortion.distort(jax.random.key(0), jnp.asarray(plain)))[:, :, 0, 0]
    slope = (found[:, -1] - found[:, 0]) / 150
    np.testing.assert_allclose(found, found[:, :1] + slope[:, None] * (plain[:, :, 0, 0] - 50), rtol=1e-4)
    assert np.mean(np.abs(slope - 1) < 1e-4) == pytest.approx(0.5, abs=0.12)
    assert 0.5 <= slope.min() < 0.6 and 1.4 < slope.max() <= 1.5
    shift = found[:, 0] / slope - 50  # before the contrast, whichever came first
    assert np.abs(shift).max() <= 32.01 and np.mean(np.abs(shift) < 1e-3) == pytest.approx(0.5, abs=0.12)


def test_channels_are_permuted_in_half_of_the_images():
    colour = np.broadcast_to(np.float32([200, 120, 40]), (300, 1, 1, 3))
    found = np.asarray(distortion.distort(jax.random.key(1), jnp.asarray(colour)))[:, 0, 0]
    same = np.mean((np.diff(found) < 0).all(axis=1))
    assert same == pytest.approx(0.5 + 0.5 / 6, abs=0.1)  # a permutation may be the identity
    assert len({tuple(np.argsort(one)) for one in found}) == 6


def test_images_are_distorted_each_for_itself_by_the_key():
    batch = jnp.asarray(np.broadcast_to(images(1), (6, 16, 16, 3)))
    first, again, other = (distortion.distort(jax.random.key(k), batch) for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len({np.asarray(one).tobytes() for one in first}) == 6


def test_bytes_are_levels():
    batch = np.random.default_rng(3).integers(0, 256, (3, 8, 8, 3), np.uint8)
    found = distortion.distort(jax.random.key(0), jnp.asarray(batch))
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, distortion.distort(jax.random.key(0), jnp.float32(batch)))
