"""The corruptions against their laws, stated once more in `reference`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.corruptions import _filters
from resizemix_jax.corruptions._motion import motion
from resizemix_jax.corruptions.brightness import brightness
from resizemix_jax.corruptions.contrast import contrast
from resizemix_jax.corruptions.defocus_blur import defocus_blur
from resizemix_jax.corruptions.elastic import SMALL as ELASTIC
from resizemix_jax.corruptions.elastic import elastic
from resizemix_jax.corruptions.fog import plasma
from resizemix_jax.corruptions.gaussian_noise import gaussian_noise
from resizemix_jax.corruptions.glass_blur import _sweep
from resizemix_jax.corruptions.impulse_noise import impulse_noise
from resizemix_jax.corruptions.jpeg import jpeg
from resizemix_jax.corruptions.pixelate import pixelate
from resizemix_jax.corruptions.shot_noise import shot_noise
from resizemix_jax.corruptions.snow import SMALL as SNOW
from resizemix_jax.corruptions.snow import snow
from resizemix_jax.corruptions.zoom_blur import zoom_blur
from tests.corruptions import reference
from tests.corruptions.test_conventions import IMAGES

SQUARE = np.ascontiguousarray(IMAGES[:, :28])
LARGE = np.clip(
    np.kron(np.random.default_rng(1).integers(0, 256, (1, 12, 12, 3)), np.ones((1, 8, 8, 1))), 0, 255
).astype(np.uint8)
FLAT = np.full((1, 60, 60, 3), 128, np.uint8)


def close(made, expected, most, share=1.0):
    """Levels within `most`, and a share of them equal or one apart."""
    apart = np.abs(np.asarray(made, float) - np.floor(np.clip(expected, 0, 1) * 255 + 1e-3))
    assert apart.max() <= most and (apart <= 1).mean() >= share


def each(function, images):
    return np.stack([function(image / 255) for image in images])


@pytest.mark.parametrize('sigma', [0.05, 0.4, 1.5])
def test_the_gaussian_filter_is_scipys(sigma):
    made = _filters.blur(IMAGES.astype(np.float32) / 255, sigma)
    np.testing.assert_allclose(made, each(lambda x: reference.blur(x, sigma), IMAGES), atol=1e-6)
    import scipy.ndimage

    noise = np.random.default_rng(0).uniform(-1, 1, (28, 28))
    matrix = _filters.gaussian(28, 20.0, 3.0, 'reflect')
    expected = scipy.ndimage.gaussian_filter(noise, 20.0, mode='reflect', truncate=3.0)
    np.testing.assert_allclose(matrix @ noise @ matrix.T, expected, atol=1e-12)


@pytest.mark.parametrize('size, factor', [(28, 1.0), (28, 1.06), (32, 1.25), (96, 3.0), (224, 4.5)])
def test_the_enlargement_is_scipys(size, factor):
    x = np.random.default_rng(0).uniform(size=(size, size, 1))
    matrix = _filters.zoom(size, factor)
    made = matrix @ x[..., 0] @ matrix.T
    np.testing.assert_allclose(made, reference.zoom(x, factor)[..., 0], atol=1e-9)


def test_zoom_blur():
    made = zoom_blur(None, SQUARE, severity=2)
    close(made, each(lambda x: reference.zoom_blur(x, np.arange(1, 1.11, 0.01)), SQUARE), most=1)


@pytest.mark.parametrize('reach', [1, 2, 4])
@pytest.mark.slow
def test_a_sweep_of_glass_copies_pixel_by_pixel(reach):
    key, x = jax.random.key(reach), SQUARE[:1].astype(np.float32)
    moves = np.asarray(jax.random.randint(key, (2, *x.shape[:3]), -reach, reach))[:, 0]
    np.testing.assert_array_equal(_sweep(key, x, reach)[0], reference.sweep(x[0], moves, reach))


@pytest.mark.parametrize('degrees', [-135.0, -50.0, -20.0, 0.0, 33.0])
def test_motion(degrees):
    made = motion(jnp.asarray(IMAGES / 255, jnp.float32), jnp.full(3, degrees, jnp.float32), 9, 2.5)
    expected = each(lambda x: reference.motion(x, degrees, 9, 2.5), IMAGES)
    assert np.abs(np.asarray(made) - expected).max() <= 0.501 / 255


@pytest.mark.parametrize('severity', [1, 3, 5])
@pytest.mark.slow
def test_defocus_is_opencvs(severity):
    for images, numbers in (
        (IMAGES, ((0.3, 0.4), (0.5, 0.6), (1.5, 0.1))),
        (LARGE, ((3, 0.1), (6, 0.5), (10, 0.5))),
    ):
        expected = each(lambda x, n=numbers: reference.defocus(x, *n[severity // 2]), images)
        close(defocus_blur(None, images, severity=severity), expected, most=1)


@pytest.mark.parametrize('severity, share', [(1, 0.95), (3, 0.85), (5, 0.65)])
@pytest.mark.slow
def test_pixelate_is_pillows(severity, share):
    expected = each(lambda x: reference.pixelate(x, share), IMAGES)
    np.testing.assert_array_equal(pixelate(None, IMAGES, severity=severity), np.round(255 * expected))


@pytest.mark.parametrize('severity, quality, large', [(1, 80, 25), (5, 40, 7)])
@pytest.mark.slow
def test_jpeg_is_near_libjpegs(severity, quality, large):
    for images, q in ((IMAGES, quality), (IMAGES[..., :1], quality), (LARGE, large)):
        expected = each(lambda x, q=q: reference.jpeg(x, q), images)
        close(jpeg(None, images, severity=severity), expected, most=8, share=0.96)


def test_brightness_keeps_hue_and_saturation():
    import colorsys

    images = np.array([[[[0, 0, 0], [200, 100, 50], [255, 255, 255], [250, 10, 0]]]], np.uint8)

    def expected(x):
        hsv = [colorsys.rgb_to_hsv(*pixel) for pixel in x.reshape(-1, 3)]
        return np.array([colorsys.hsv_to_rgb(h, s, min(v + 0.15, 1)) for h, s, v in hsv]).reshape(x.shape)

    close(brightness(None, images, severity=3), each(expected, images), most=0)


def test_contrast():
    expected = each(lambda x: (x - x.mean((0, 1))) * 0.4 + x.mean((0, 1)), IMAGES)
    close(contrast(None, IMAGES, severity=3), expected, most=1)


@pytest.mark.slow
def test_the_noises_have_their_moments(key):
    x = 128 / 255
    made = np.asarray(gaussian_noise(key, FLAT[:, :32], severity=5)) / 255
    assert made.std() == pytest.approx(0.10, rel=0.05) and made.mean() == pytest.approx(x, abs=0.01)
    made = np.asarray(shot_noise(key, FLAT[:, :32], severity=5)) / 255
    assert made.std() == pytest.approx(np.sqrt(x / 50), rel=0.05) and made.mean() == pytest.approx(
        x, abs=0.01
    )
    made = np.asarray(impulse_noise(key, FLAT[:, :32], severity=5))
    assert (made == 0).mean() == pytest.approx(0.035, abs=0.01) and (made == 255).mean() == pytest.approx(
        0.035, abs=0.01
    )


@pytest.mark.slow
def test_the_fractal_of_fog(key):
    uniform = np.asarray(jax.random.uniform(key, (3, 85), minval=-1.0))

    def draws(count):
        start = (count * count - 1) // 3
        return uniform[:, start : start + count * count].reshape(3, count, count)

    np.testing.assert_allclose(plasma(key, 16, 1.75), reference.plasma(16, 1.75, draws), atol=1e-5)


@pytest.mark.slow
def test_snow(key):
    key_flakes, key_angle = jax.random.split(key)
    draws = np.asarray(jax.random.normal(key_flakes, (1, 28, 28, 1)))[0, ..., 0]
    degrees = float(jax.random.uniform(key_angle, (1,), minval=-135, maxval=-45)[0])
    expected = reference.snow(SQUARE[0] / 255, SNOW[3], draws, degrees)
    close(snow(key, SQUARE[:1], severity=4), expected[None], most=2, share=0.98)


@pytest.mark.parametrize('severity', [1, 2, 3])
@pytest.mark.slow
def test_elastic(severity, key):
    amount, sigma, shift = (32 * number for number in ELASTIC[severity - 1])
    key_points, key_field = jax.random.split(key)
    points = np.array([14.0, 16.0]) + 9 * np.array([[1, 1], [1, -1], [-1, -1]])  # of 32 x 28 pixels
    moved = points + np.asarray(jax.random.uniform(key_points, (1, 3, 2), minval=-shift, maxval=shift))[0]
    draws = np.asarray(jax.random.uniform(key_field, (1, 32, 28, 2), minval=-1))[0]
    expected = reference.elastic(IMAGES[0] / 255, amount, sigma, points, moved, draws)
    close(elastic(key, IMAGES[:1], severity=severity), expected[None], most=2, share=0.99)
