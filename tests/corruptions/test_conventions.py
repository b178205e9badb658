"""What every corruption keeps, over the files of the family."""

import functools

import jax
import numpy as np
import pytest

from resizemix_jax.find import bind, names

METHODS = names('corruptions')
assert len(METHODS) >= 14
NOT_RISING = 'elastic', 'glass_blur'  # at 32 pixels: their published numbers go up and down
SCENE = np.random.default_rng(0)
SMOOTH = np.add.outer(np.linspace(20, 200, 32), np.linspace(-20, 50, 28))[..., None] + [0, 20, -15]
IMAGES = np.clip(SMOOTH + SCENE.normal(0, 12, (3, 32, 28, 3)), 0, 255).astype(np.uint8)


@functools.cache
def jitted(name, severity):
    return jax.jit(bind('corruptions', name, {'severity': severity}))


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_images_stay_uint8_of_their_shape_and_grow_worse(name):
    distance = []
    for severity in (1, 3, 5):
        made = np.asarray(jitted(name, severity)(jax.random.key(0), IMAGES))
        assert made.dtype == np.uint8 and made.shape == IMAGES.shape
        distance.append(np.abs(made.astype(float) - IMAGES).mean())
    assert 0.1 < distance[0] < distance[1] < distance[2] or name in NOT_RISING
    np.testing.assert_array_equal(made, jitted(name, 5)(jax.random.key(0), IMAGES))


@pytest.mark.parametrize('name', METHODS)
def test_each_image_has_draws_of_its_own(name):
    same = np.repeat(IMAGES[:1], 3, axis=0)
    made = np.asarray(jitted(name, 5)(jax.random.key(1), same))
    other = np.asarray(jitted(name, 5)(jax.random.key(2), same))
    drawn = (made != other).any()
    assert drawn == (made[0] != made[1]).any()
    if not drawn:
        np.testing.assert_array_equal(jitted(name, 5)(None, same), made)


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_gray_and_large_images_are_taken(name, key):
    for shape in ((2, 8, 8, 1), (1, 70, 96, 3), (1, 33, 17, 1)):
        for severity in (1, 5):
            made = jax.eval_shape(jitted(name, severity), key, np.zeros(shape, np.uint8))
            assert made.shape == shape and made.dtype == np.uint8


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_gray_is_the_channel_of_equal_channels(name, key):
    gray = IMAGES[..., :1]
    made = np.asarray(jitted(name, 3)(key, gray))
    assert made.shape == gray.shape and made.any()
    if name not in ('gaussian_noise', 'shot_noise', 'impulse_noise'):  # a draw a value
        wide = np.asarray(jitted(name, 3)(key, np.repeat(gray, 3, axis=3))).astype(int)
        assert np.abs(wide - made).max() <= 2


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_no_key_is_used_twice(name):
    with jax.debug_key_reuse(True):
        jitted(name, 5)(jax.random.key(0), IMAGES)


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_wrong_arguments_are_refused(name, key):
    for images in (IMAGES / 255, IMAGES[..., :2], IMAGES[0]):
        with pytest.raises(ValueError, match='must be uint8 .* with 1 or 3 channels; got'):
            bind('corruptions', name, {})(key, images)
    with pytest.raises(ValueError, match='severity=6 must be from 1 to 5'):
        bind('corruptions', name, {'severity': 6})(key, IMAGES)
