"""What holds for every file of resizemix_jax/mixing, whatever its law."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.find import bind, find, keywords, names, needs
from tests.mixing import contexts, teachers

METHODS = names('mixing')
# Every method, and each way a method can draw.
CASES = [
    (name, per)
    for name in METHODS
    for per in (('batch', 'sample') if 'per' in keywords(find('mixing', name)) else ('',))
]

# One way a method: for what depends on its form and not on what it draws.
ONE_WAY = list({name: (name, per) for name, per in CASES}.values())


def op(name, per):
    """The op as (key, images, labels) -> (images, labels), with all it needs."""
    values = {'per': per} if per else {}

    def call(key, images, labels):
        saliency = abs(images).mean(-1, dtype=np.float32)  # of the images' kind: NumPy or JAX
        provided = {'saliency': saliency, 'std': 1.0, 'teacher': teachers.linear()}
        return bind('mixing', name, values, **provided)(key, images, labels)

    return call


@functools.cache
def jitted(name, per):
    """One for all tests, since compiling is what takes their time."""
    return jax.jit(op(name, per))


def make_batch(size=8, shape=(16, 12, 3), dtype=jnp.float32, classes=5):
    key_images, key_labels = jax.random.split(jax.random.key(7))
    images = jax.random.normal(key_images, (size, *shape)).astype(dtype)
    labels = jax.nn.softmax(jax.random.normal(key_labels, (size, classes)))
    return images, labels


@pytest.mark.parametrize('name', METHODS)
def test_signature(name):
    function = find('mixing', name)
    parameters = list(inspect.signature(function).parameters.values())
    assert [p.name for p in parameters[:3]] == ['key', 'images', 'labels']
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters[3:])
    assert 'Law:' in function.__doc__


@pytest.mark.parametrize('name', METHODS)
def test_needs_are_declared(name):
    function = find('mixing', name)
    keywords(function)  # raises ValueError for a need that is no keyword, or a keyword without a default
    provided = dict.fromkeys(('saliency', 'std', 'teacher'))
    assert set(needs(function)) <= set(provided)
    for need in needs(function):
        with pytest.raises(ValueError, match=f'{name} needs {need}, which is not provided here'):
            bind('mixing', name, {}, **{k: v for k, v in provided.items() if k != need})
        with pytest.raises(ValueError, match=f'{name} does not take {need}'):
            bind('mixing', name, {need: None}, **provided)


@pytest.mark.parametrize('dtype', [jnp.float32, pytest.param(jnp.bfloat16, marks=pytest.mark.slow)])
@pytest.mark.parametrize(('name', 'per'), CASES)
def test_shape_dtype_and_label_sums(name, per, dtype, key):
    images, labels = make_batch(dtype=dtype)
    mixed, mixed_labels = jitted(name, per)(key, images, labels)
    assert mixed.shape == images.shape and mixed.dtype == images.dtype
    assert mixed_labels.shape == labels.shape and mixed_labels.dtype == jnp.float32
    np.testing.assert_allclose(mixed_labels.sum(-1), labels.sum(-1), rtol=1e-6)


@pytest.mark.parametrize(('name', 'per'), CASES)
@pytest.mark.slow
def test_batch_of_one(name, per, key):
    images, labels = make_batch(size=1)
    _, mixed_labels = jitted(name, per)(key, images, labels)
    np.testing.assert_allclose(mixed_labels, labels, rtol=1e-6)  # an image is its own partner


@pytest.mark.parametrize(('name', 'per'), CASES)
def test_inputs_are_unchanged(name, per, key):
    images, labels = make_batch()
    before = np.array(images), np.array(labels)
    jitted(name, per)(key, images, labels)
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(labels, before[1])


@pytest.mark.parametrize(('name', 'per'), CASES)
def test_the_key_decides_and_nothing_recompiles(name, per):
    images, labels = make_batch()
    function = jitted(name, per)
    function(jax.random.key(0), images, labels)
    compiled = function._cache_size()
    outputs = [np.asarray(function(jax.random.key(seed), images, labels)[0]) for seed in (*range(8), 0)]
    assert function._cache_size() == compiled
    np.testing.assert_array_equal(outputs[0], outputs[-1])
    if name != 'none':
        assert any((outputs[0] != other).any() for other in outputs[1:-1])


@pytest.mark.parametrize(('name', 'per'), CASES)
@pytest.mark.slow
def test_no_key_is_used_twice(name, per):
    with jax.debug_key_reuse(True):
        jitted(name, per)(jax.random.key(0), *make_batch())


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'per'), ONE_WAY)
def test_vmap_and_pmap_agree_with_a_loop(name, per):
    function = jitted(name, per)
    images, labels = make_batch(size=16)
    images, labels = images.reshape(2, 8, *images.shape[1:]), labels.reshape(2, 8, -1)
    keys = jax.random.split(jax.random.key(0), 2)
    mapped = jax.jit(jax.vmap(function))(keys, images, labels)
    parallel = jax.pmap(function, devices=jax.devices()[:2])(keys, images, labels)
    for i in range(2):
        alone = function(keys[i], images[i], labels[i])
        for one, two, three in zip(alone, mapped, parallel, strict=True):
            np.testing.assert_allclose(one, two[i], atol=1e-6)
            np.testing.assert_allclose(one, three[i], atol=1e-6)


@pytest.mark.parametrize(('name', 'per'), ONE_WAY)
@pytest.mark.slow
def test_shard_map_agrees_with_a_loop(name, per):
    contexts.check_shard_map(jitted(name, per), *make_batch(size=16))


@pytest.mark.parametrize(('name', 'per'), ONE_WAY)
@pytest.mark.slow
def test_explicit_axes_agree_with_one_device(name, per):
    contexts.check_explicit_axes(jitted(name, per), *make_batch())


@pytest.mark.parametrize(('name', 'per'), ONE_WAY)
@pytest.mark.slow
def test_numpy_arrays_outside_jit_agree_with_jit(name, per, key):
    batch = [np.asarray(array) for array in make_batch()]
    for one, two in zip(op(name, per)(key, *batch), jitted(name, per)(key, *batch), strict=True):
        assert isinstance(one, jax.Array)
        np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize('name', METHODS)
def test_bad_batches_are_refused(name, key):
    function = find('mixing', name)
    images, labels = make_batch()
    with pytest.raises(ValueError, match=r'images must be float \[B, H, W, C\]; got uint8\[8, 16, 12, 3\]'):
        function(key, images.astype(jnp.uint8), labels)
    with pytest.raises(ValueError, match='images must be float'):
        function(key, images[0], labels)
    with pytest.raises(ValueError, match=r'labels must be soft.*got int32\[8\].*one_hot'):
        function(key, images, jnp.arange(8))
    with pytest.raises(ValueError, match=r'B=8; got float32\[4, 5\]'):
        function(key, images, labels[:4])
    with pytest.raises(ValueError, match='got bfloat16'):
        function(key, images, labels.astype(jnp.bfloat16))


@pytest.mark.parametrize('name', [name for name, per in CASES if per == 'batch'])
@pytest.mark.slow
def test_unknown_per_is_refused(name, key):
    with pytest.raises(ValueError, match="per='element' must be one of: batch, sample"):
        find('mixing', name)(key, *make_batch(), per='element')


# Their loops take as many turns as the data needs, which reverse-mode differentiation cannot go back through.
WITHOUT_GRADIENT = {'supermix'}


@pytest.mark.parametrize(('name', 'per'), ONE_WAY)
@pytest.mark.slow
def test_gradients_reach_images_and_labels(name, per, key):
    images, labels = make_batch()
    weights = jax.random.normal(jax.random.key(3), images.shape), jnp.arange(5.0)

    def total(images, labels):
        mixed = jitted(name, per)(key, images, labels)
        return sum(jnp.sum(one * weight) for one, weight in zip(mixed, weights, strict=True))

    if name in WITHOUT_GRADIENT:
        with pytest.raises(ValueError, match='Reverse-mode differentiation does not work'):
            jax.grad(total)(images, labels)
        return
    for gradient in jax.grad(total, (0, 1))(images, labels):
        assert np.isfinite(gradient).all() and (gradient != 0).any()
