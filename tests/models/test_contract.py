"""What holds for every network: shapes, dtypes, random streams, parts that compose, running statistics."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models.cases import CASES, make, needs, streams


@functools.cache
def build(name, keywords, dtype='float32'):
    """(model, images, variables); `keywords` as a tuple of items."""
    model = make(name, dict(keywords), dtype=dtype)
    images = jax.random.normal(jax.random.key(1), (4, 32, 48, 3))
    variables = jax.jit(model.init, static_argnames='train')(jax.random.key(0), images, train=False)
    return model, images, variables


def built(name, keywords, dtype='float32'):
    return build(name, tuple(keywords.items()), dtype)


def train(model, variables, images, seed=0):
    """(logits, {'batch_stats': ...} or {}), with the declared streams alone."""
    return jax.jit(
        lambda variables, images: model.apply(
            variables, images, train=True, mutable=['batch_stats'], rngs=streams(model, seed)
        )
    )(variables, images)


@CASES
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
@pytest.mark.slow
def test_logits_are_float32_and_so_are_parameters(name, keywords, dtype):
    if 'dtype' not in needs(name) and dtype != 'float32':
        pytest.skip(f'{name} has one dtype')
    model, images, variables = built(name, keywords, dtype)
    logits, updated = train(model, variables, images)
    assert logits.shape == (4, 7) and logits.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves((variables, updated))} == {jnp.dtype('float32')}
    if hasattr(model, 'features'):
        features = jax.eval_shape(lambda v, x: model.apply(v, x, method='features'), variables, images)
        assert features.dtype == dtype


@CASES
@pytest.mark.slow
def test_no_product_of_the_classifier_is_rounded_to_bfloat16(name, keywords):
    if 'dtype' not in needs(name):
        pytest.skip(f'{name} has one dtype')
    model, images, variables = built(name, keywords)
    model = make(name, keywords, dtype='bfloat16')
    jaxpr = jax.make_jaxpr(lambda v, x: model.apply(v, x))(variables, images)
    products = [str(e) for e in jaxpr.eqns if e.primitive.name == 'dot_general']
    last = products[-1]
    assert last.split(':')[1].startswith('f32[4,7]') and 'HIGHEST' in last
    assert jaxpr.eqns[-1].primitive.name != 'convert_element_type'


@pytest.mark.slow
@CASES
def test_variables_are_parameters_and_statistics_of_the_declared_batch_norm(name, keywords):
    _, _, variables = built(name, keywords)
    has_batch_norm = 'batch_axis' in needs(name)
    assert set(variables) == {'params', *(['batch_stats'] if has_batch_norm else [])}


@CASES
@pytest.mark.slow
def test_a_batch_of_any_size_can_be_exported(name, keywords):
    model, images, variables = built(name, keywords)
    shape = jax.export.symbolic_shape('b, 32, 48, 3')
    evaluate = jax.jit(lambda images: model.apply(variables, images, train=False))
    program = jax.export.export(evaluate)(jax.ShapeDtypeStruct(shape, jnp.float32))
    assert [str(side) for side in program.out_avals[0].shape] == ['b', '7']


@CASES
@pytest.mark.slow
def test_features_and_head_compose_at_every_layer(name, keywords):
    model, images, variables = built(name, keywords)
    if not hasattr(model, 'features'):
        pytest.skip(f'{name} has no features and head')
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
    heights = [cut.shape[1] for cut in cuts[1:]]
    assert heights == sorted(heights, reverse=True)
    assert all(cut.ndim == 4 and cut.shape[1] < cut.shape[2] for cut in cuts)  # maps of the wide images
    assert not any(np.array_equal(a, b) for a, b in zip(cuts[1:], cuts[2:], strict=False))


@CASES
def test_a_layer_out_of_range_is_refused(name, keywords):
    model, images, variables = built(name, keywords)
    if not hasattr(model, 'features'):
        pytest.skip(f'{name} has no features and head')
    layer = model.groups + 1
    with pytest.raises(ValueError, match=f'layer={layer} must be a group of blocks, 1 to {layer - 1}, or 0'):
        model.apply(variables, images, layer=layer, method='features')


@pytest.mark.slow
@CASES
def test_training_draws_from_the_declared_streams_and_evaluation_from_none(name, keywords):
    model, images, variables = built(name, keywords)
    one, again, other = (train(model, variables, images, seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    if not streams(model):
        np.testing.assert_array_equal(one, other)
    evaluate = jax.jit(lambda v, x: model.apply(v, x, train=False))
    np.testing.assert_array_equal(evaluate(variables, images), evaluate(variables, images))


@CASES
@pytest.mark.slow
def test_training_moves_the_running_statistics_by_a_tenth(name, keywords):
    model, images, variables = built(name, keywords)
    _, updated = train(model, variables, images)
    for path, before in jax.tree_util.tree_leaves_with_path(variables.get('batch_stats', {})):
        after = functools.reduce(lambda tree, entry: tree[entry.key], path, updated['batch_stats'])
        assert not np.allclose(before, after), path
        if path[-1].key == 'var':  # 0.9 * 1 + 0.1 * variance
            assert (after >= 0.9 - 1e-6).all()


@CASES
@pytest.mark.slow
def test_every_parameter_has_a_gradient(name, keywords):
    model, images, variables = built(name, keywords)

    @jax.jit
    def gradient(params):
        def loss(params):
            logits, _ = model.apply(
                variables | {'params': params}, images, True, mutable=['batch_stats'], rngs=streams(model)
            )
            return -jnp.mean(jax.nn.log_softmax(logits)[:, 0])

        return jax.grad(loss)(params)

    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient(variables['params'])):
        assert np.isfinite(leaf).all() and np.any(leaf), jax.tree_util.keystr(path)
