"""What holds for every file of resizemix_jax/augment, whatever its law."""

import functools
import inspect
import re

import jax
import numpy as np
import pytest

from resizemix_jax.find import bind, find, keywords, names, needs

METHODS = names('augment')
IMAGES = np.random.default_rng(0).integers(0, 256, (8, 12, 10, 3), np.uint8)
PROVIDED = {'progress': 0.9}


@functools.cache
def jitted(name):
    """One for all tests, since compiling is what takes their time."""
    return jax.jit(bind('augment', name, {}, **PROVIDED))


@pytest.mark.parametrize('name', METHODS)
def test_signature(name):
    function = find('augment', name)
    parameters = list(inspect.signature(function).parameters.values())
    assert [p.name for p in parameters[:2]] == ['key', 'images']
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters[2:])
    assert 'Law' in function.__doc__


@pytest.mark.parametrize('name', METHODS)
def test_needs_are_declared(name):
    function = find('augment', name)
    keywords(function)  # raises ValueError for a need that is no keyword, or a keyword without a default
    for need in needs(function):
        with pytest.raises(ValueError, match=f'{name} needs {need}, which is not provided here'):
            bind('augment', name, {})


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_the_key_decides_and_nothing_recompiles(name):
    function = jitted(name)
    outputs = [np.asarray(function(jax.random.key(seed), IMAGES)) for seed in (*range(4), 0)]
    assert function._cache_size() == 1
    assert outputs[0].dtype == np.uint8 and outputs[0].ndim == 4
    assert outputs[0].shape[0] == len(IMAGES) and outputs[0].shape[3] == IMAGES.shape[3]
    np.testing.assert_array_equal(outputs[0], outputs[-1])
    if all((outputs[0] == other).all() for other in outputs):  # nothing is drawn, so no key is needed
        np.testing.assert_array_equal(function(None, IMAGES), outputs[0])


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_numpy_and_jax_arrays_outside_jit_agree_with_jit(name, key):
    function = bind('augment', name, {}, **PROVIDED)
    before = IMAGES.copy()
    expected = jitted(name)(key, IMAGES)
    np.testing.assert_array_equal(function(key, IMAGES), expected)
    np.testing.assert_array_equal(function(key, jax.numpy.asarray(IMAGES)), expected)
    np.testing.assert_array_equal(IMAGES, before)


@pytest.mark.slow
@pytest.mark.parametrize('name', METHODS)
def test_no_key_is_used_twice(name):
    with jax.debug_key_reuse(True):
        jitted(name)(jax.random.key(0), IMAGES)


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_vmap_and_pmap_agree_with_a_loop(name):
    keys = jax.random.split(jax.random.key(0), 2)
    pair = np.stack([IMAGES, IMAGES[::-1]])
    alone = [jitted(name)(key, images) for key, images in zip(keys, pair, strict=True)]
    np.testing.assert_array_equal(jax.pmap(jitted(name), devices=jax.devices()[:2])(keys, pair), alone)
    np.testing.assert_array_equal(jax.jit(jax.vmap(jitted(name)))(keys, pair), alone)


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_gray_images_are_accepted(name, key):
    gray = jax.eval_shape(bind('augment', name, {}, **PROVIDED), key, IMAGES[..., :1])
    assert gray.shape == (*jax.eval_shape(jitted(name), key, IMAGES).shape[:3], 1)


@pytest.mark.parametrize(
    'images',
    [IMAGES / np.float32(255), IMAGES.astype(np.int32), IMAGES.astype(np.float32), IMAGES[0], IMAGES[None]],
    ids=lambda images: f'{images.dtype}{list(images.shape)}',
)
@pytest.mark.parametrize('name', METHODS)
def test_other_images_are_refused_alike(name, images, key):
    got = re.escape(
        f'images must be uint8 [B, H, W, C]; got {images.dtype}{list(images.shape)}. Augment them'
    )
    for refused in (images, jax.numpy.asarray(images)):
        with pytest.raises(ValueError, match=got):
            bind('augment', name, {}, **PROVIDED)(key, refused)
