"""What holds for every network: shapes, dtypes, parts that compose, BatchNorm and padding as in torch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.find import find

SMALL = {
    'wide_resnet': {'depth': 10, 'width': 1},
    'wide_resnet released': {'depth': 10, 'width': 1, 'variant': 'released'},
    'shake_shake': {'depth': 8, 'width': 4},
    'resnet': {'depth': 14, 'width': 4},
}
CASES = pytest.mark.parametrize('case', SMALL)


@functools.cache
def build(case, dtype='float32'):
    model = find('models', case.split()[0])(7, dtype=dtype, **SMALL[case])
    images = jax.random.normal(jax.random.key(1), (4, 32, 24, 3))
    variables = jax.jit(model.init, static_argnames='train')(jax.random.key(0), images, train=False)
    return model, images, variables


def train(model, variables, images, seed=0):
    return jax.jit(
        lambda variables, images: model.apply(
            variables, images, train=True, mutable=['batch_stats'], rngs={'shake': jax.random.key(seed)}
        )
    )(variables, images)


@CASES
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_logits_are_float32_and_so_are_parameters(case, dtype):
    model, images, variables = build(case, dtype)
    logits, updated = train(model, variables, images)
    assert logits.shape == (4, 7) and logits.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype('float32')}
    assert {leaf.dtype for leaf in jax.tree.leaves(updated)} == {jnp.dtype('float32')}
    features = jax.eval_shape(lambda v, x: model.apply(v, x, method='features'), variables, images)
    assert features.dtype == dtype


@CASES
def test_features_and_head_compose_at_every_layer(case):
    model, images, variables = build(case)
    layers = range(model.groups + 1)

    @jax.jit
    def run(variables, images):
        cuts = [model.apply(variables, images, layer=layer, method='features') for layer in layers]
        logits = [model.apply(variables, cuts[k], layer=k, method='head') for k in layers]
        return cuts, logits, model.apply(variables, images)

    cuts, composed, whole = run(variables, images)
    for logits in composed:
        np.testing.assert_allclose(logits, whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(cuts[0], cuts[-1])
    assert [cut.shape[1] for cut in cuts[1:]] == sorted((cut.shape[1] for cut in cuts[1:]), reverse=True)
    assert cuts[1].shape[1] > cuts[-1].shape[1]


def test_a_layer_that_is_not_there_is_refused():
    model, images, variables = build('wide_resnet')
    with pytest.raises(ValueError, match='layer=4 must be a group of blocks, 1 to 3, or 0 for the last'):
        model.apply(variables, images, layer=4, method='features')


@CASES
def test_training_moves_the_running_statistics_by_a_tenth(case):
    model, images, variables = build(case)
    _, updated = train(model, variables, images)
    for path, before in jax.tree_util.tree_leaves_with_path(variables['batch_stats']):
        after = functools.reduce(lambda tree, entry: tree[entry.key], path, updated['batch_stats'])
        assert not np.allclose(before, after), path
        if path[-1].key == 'var':  # 0.9 * 1 + 0.1 * variance
            assert (after >= 0.9 - 1e-6).all()
    logits = jax.jit(lambda v, x: model.apply(v, x, train=False))(variables, images)
    assert logits.shape == (4, 7)


def test_stride_two_pads_as_torch_does():
    # On 4 pixels with kernel ones and stride 2, torch's padding (1, 1) sums pixels 0..1 and 1..3;
    # Flax's SAME would pad (0, 1) and sum 0..2 and 2..3.
    from resizemix_jax.models import _layers as layers

    conv = layers.conv(1, 3, 2, dtype='float32', name='conv')
    images = jnp.array([1.0, 10.0, 100.0, 1000.0])[None, None, :, None] * jnp.ones((1, 4, 1, 1))
    out = conv.apply({'params': {'kernel': jnp.ones((3, 3, 1, 1)).at[0].set(0).at[2].set(0)}}, images)
    np.testing.assert_array_equal(out[0, 0, :, 0], [11.0, 1110.0])


@pytest.mark.parametrize('init', ['normal_fan_in', 'normal_fan_out', 'torch_uniform'])
def test_initialisation_has_its_variance(init, key):
    from resizemix_jax.models import _layers as layers

    kernel = getattr(layers, init)(key, (3, 3, 64, 256))
    variance = {
        'normal_fan_in': 2 / (9 * 64),
        'normal_fan_out': 2 / (9 * 256),
        'torch_uniform': 1 / (27 * 64),
    }
    assert float(kernel.var()) == pytest.approx(variance[init], rel=0.02)
    if init == 'torch_uniform':
        assert float(abs(kernel).max()) <= (9 * 64) ** -0.5


def test_the_variants_put_the_stride_where_they_say():
    shapes = {}
    for variant in ('original', 'released'):
        model = find('models', 'wide_resnet')(10, depth=10, width=1, variant=variant)
        images = jnp.zeros((1, 32, 32, 3))
        _, state = jax.eval_shape(
            lambda x, m=model: m.init_with_output(
                jax.random.key(0),
                x,
                capture_intermediates=True,
                mutable=['params', 'intermediates', 'batch_stats'],
            ),
            images,
        )
        block = state['intermediates']['backbone']['group2_block1']
        shapes[variant] = block['conv1']['__call__'][0].shape[1:3]
    assert shapes == {'original': (16, 16), 'released': (32, 32)}
