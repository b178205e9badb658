"""The ways in which people call mixing ops: other labels, other layouts, invalid numbers."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.find import bind, find, keywords, names
from resizemix_jax.mixing.cut_paste import cut_paste
from resizemix_jax.mixing.cutmix import cutmix
from resizemix_jax.mixing.resizemix import resizemix
from tests.mixing import teachers

METHODS = names('mixing')
KEY = jax.random.key(3)
IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)
LABEL = np.array([2, 0, 1, 4])
CLASSES = 5


def op(name, **values):
    saliency = abs(IMAGES).mean(-1)
    return bind('mixing', name, values, saliency=saliency, std=1.0, teacher=teachers.linear())


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.slow
def test_every_op_takes_integer_labels_with_the_number_of_classes(name):
    soft = jax.nn.one_hot(LABEL, CLASSES, dtype=jnp.float32)
    function = functools.partial(op(name), num_classes=CLASSES)
    expected = jax.eval_shape(op(name), KEY, IMAGES, soft)
    assert jax.eval_shape(function, KEY, IMAGES, LABEL) == expected
    assert jax.eval_shape(function, KEY, IMAGES, soft) == expected  # soft ones may say it, too


@pytest.mark.slow
def test_integer_labels_are_the_one_hot_ones():
    expected = cutmix(KEY, IMAGES, jax.nn.one_hot(LABEL, CLASSES, dtype=jnp.float32))
    for label in (LABEL, jnp.asarray(LABEL), list(LABEL)):
        found = cutmix(KEY, IMAGES, label, num_classes=CLASSES)
        jax.tree.map(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize(
    ('labels', 'classes', 'message'),
    [
        (LABEL, 4, r'labels must be in 0\.\.3; got 0\.\.4'),
        (LABEL - 1, 5, r'labels must be in 0\.\.4; got -1\.\.3'),
        (np.eye(4, 6), 5, r'soft \[B, 5\] as num_classes=5 says; got float64\[4, 6\]'),
        (LABEL.astype(float), 5, r'must be integers \[B\], or soft'),
        (LABEL, 0, 'num_classes=0 must be >= 1'),
        (LABEL[:, None], 5, r'got int64\[4, 1\]; integers \[B, 1\] are labels\[:, 0\]'),
        (LABEL[:, None], None, r'got int32\[4, 1\].*or pass integer labels \[B\], here labels\[:, 0\], with'),
        (
            np.eye(4, 5, dtype=int),
            None,
            r'got int32\[4, 5\]\. Convert them with labels.astype\(jnp.float32\)',
        ),
        (np.eye(3, 5), None, r'got float32\[3, 5\]\. Images and labels must be those of one batch'),
        (
            LABEL,
            None,
            r'labels must be soft.*got int32\[4\].*one_hot.*or pass integer labels \[B\] with num_cla',
        ),
    ],
)
def test_labels_that_do_not_fit(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        cutmix(KEY, IMAGES, labels, num_classes=classes)


@pytest.mark.parametrize('name', METHODS)
@pytest.mark.parametrize('channels', [1, 3, 4])
def test_channels_first_are_refused_with_the_remedy(name, channels):
    images = np.zeros((4, channels, 8, 8), np.float32)
    with pytest.raises(
        ValueError, match=r'seem to be \[B, C, H, W\].*jnp.transpose\(images, \(0, 2, 3, 1\)\)'
    ):
        op(name)(KEY, images, LABEL, num_classes=CLASSES)


def test_one_image_is_told_that_partners_come_from_the_batch():
    with pytest.raises(
        ValueError, match=r'got float32\[8, 8, 3\]\. Pass the batch, outside any vmap over images'
    ):
        jax.vmap(functools.partial(cutmix, num_classes=CLASSES), (None, 0, 0))(KEY, IMAGES, LABEL)


@pytest.mark.parametrize('seed', [0, np.random.default_rng(0)])
def test_a_seed_is_no_key(seed):
    with pytest.raises(ValueError, match=r'^key=.* must be a JAX key: jax.random.key\(seed\)'):
        cutmix(seed, IMAGES, LABEL, num_classes=CLASSES)


@pytest.mark.parametrize('shape', [(4, 4, 4, 16), (4, 3, 3, 64), (4, 1, 16, 3), (4, 8, 8, 64)])
def test_small_maps_of_many_channels_are_no_channels_first(shape):
    cutmix(KEY, np.zeros(shape, np.float32), LABEL, num_classes=CLASSES)


@pytest.mark.parametrize('draw', [resizemix, cut_paste])
@pytest.mark.slow
def test_one_tau_means_both_bounds(draw):
    expected = draw(KEY, IMAGES, LABEL, tau=(0.5, 0.5), num_classes=CLASSES)
    for tau in (0.5, np.float32(0.5), np.array([0.5, 0.5]), jnp.float32(0.5), [0.5, 0.5]):
        found = draw(KEY, IMAGES, LABEL, tau=tau, num_classes=CLASSES)
        jax.tree.map(np.testing.assert_array_equal, found, expected)


def numeric(name):
    """The keywords of a method that hold numbers, with their defaults."""
    kinds = int | float | tuple
    defaults = keywords(find('mixing', name)).items()
    return {key: value for key, value in defaults if isinstance(value, kinds) and not isinstance(value, bool)}


NUMERIC = [(name, keyword) for name in METHODS for keyword in numeric(name)]


@pytest.mark.parametrize(('name', 'keyword'), NUMERIC)
def test_invalid_numbers_are_refused_by_name(name, keyword):
    bad = [math.inf, -math.inf, math.nan, -7, 10**23, 'x', '', None, ('a', 'b'), {}]
    if keyword == 'fill':
        bad.remove(-7)
    for value in bad:
        with pytest.raises(ValueError, match=rf'^{keyword}=.* must be '):
            op(name, **{keyword: value})(KEY, IMAGES, LABEL, num_classes=CLASSES)


@pytest.mark.parametrize(('name', 'keyword'), NUMERIC)
def test_a_traced_number_is_told_the_remedy(name, keyword):
    function = find('mixing', name)
    default = numeric(name)[keyword]
    if name in ('saliencymix', 'puzzlemix'):
        function = functools.partial(function, saliency=abs(IMAGES).mean(-1))
    if name == 'supermix':
        function = functools.partial(function, teacher=teachers.linear())

    def call(value):
        return function(KEY, IMAGES, LABEL, num_classes=CLASSES, **{keyword: value})

    with pytest.raises(ValueError, match=rf"^{keyword} is traced, .* static_argnames=\('{keyword}',\)"):
        jax.jit(call)(default)
    if isinstance(default, float):
        with pytest.raises(ValueError, match=f'^{keyword} is traced'):
            jax.grad(lambda value: call(value)[0].sum())(default)


@pytest.mark.slow
def test_the_remedy_works():
    jitted = jax.jit(resizemix, static_argnames=('tau', 'num_classes'))
    expected = resizemix(KEY, IMAGES, LABEL, tau=(0.2, 0.6), num_classes=CLASSES)
    found = jitted(KEY, IMAGES, LABEL, tau=(0.2, 0.6), num_classes=CLASSES)
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-6), found, expected)
