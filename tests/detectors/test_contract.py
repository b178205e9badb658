"""What holds for every detector: outputs, a classifier's parameters below 'backbone', dtypes, statistics."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import find
from resizemix_jax.models.resnet import resnet

ANY_SIZE = 64  # pixels, of a detector whose file has no SIZE


CASES = pytest.mark.parametrize(
    ('name', 'keywords'),
    [
        pytest.param(name, keywords, id='_'.join([name, keywords.get('variant', '')]).strip('_'))
        for name in find.names('detectors')
        for keywords in find.module('detectors', name).TINY
    ],
)


def make(name, keywords, dtype='float32'):
    return find.bind('detectors', name, keywords, dtype=dtype, batch_axis='', remat=False)(7)


@functools.cache
def shapes(name, keywords, dtype='float32'):
    """(variables, outputs, updated statistics) as shapes."""
    model = make(name, dict(keywords), dtype)
    side = getattr(find.module('detectors', name), 'SIZE', ANY_SIZE)
    images = jax.ShapeDtypeStruct((2, side, side, 3), jnp.float32)
    variables = jax.eval_shape(model.init, jax.random.key(0), images)

    def step(variables, images):
        return model.apply(variables, images, train=True, mutable=['batch_stats'])

    return variables, *jax.eval_shape(step, variables, images)


def shapes_of(name, keywords, dtype='float32'):
    return shapes(name, tuple(keywords.items()), dtype)


@CASES
@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_parameters_and_outputs_are_float32(name, keywords, dtype):
    variables, outputs, updated = shapes_of(name, keywords, dtype)
    assert {leaf.dtype for leaf in jax.tree.leaves((variables, outputs, updated))} == {jnp.dtype('float32')}


@CASES
def test_every_anchor_has_its_numbers(name, keywords):
    _, (logits, offsets), _ = shapes_of(name, keywords)
    logits, offsets = (x if isinstance(x, list) else [x] for x in (logits, offsets))
    for scores, moves in zip(logits, offsets, strict=True):
        assert scores.shape[:2] == moves.shape[:2] and moves.shape[2] == 4
    if hasattr(make(name, keywords), 'anchors'):
        assert make(name, keywords).anchors().shape == (offsets[0].shape[1], 4)


@CASES
def test_the_backbone_is_a_classifier_s(name, keywords):
    variables, _, _ = shapes_of(name, keywords)
    images = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    model = resnet(7, depth=keywords['depth'], width=keywords['width'])
    whole = jax.eval_shape(model.init, jax.random.key(0), images)
    for kind in ('params', 'batch_stats'):
        ours, theirs = variables[kind]['backbone'], whole[kind]['backbone']
        # a variant may leave the last stage out
        assert ours == {key: theirs[key] for key in ours} and len(ours) > len(theirs) / 2
    assert set(variables['batch_stats']) - {'backbone'} == {
        key for key in variables['params'] if 'norm' in key and key != 'l2_norm'
    }


@pytest.mark.slow
@pytest.mark.parametrize('norm', ['train', 'eval'])
def test_the_backbone_s_statistics_move_only_in_training(norm):
    model = make('ssd64', dict(depth=14, width=4, backbone_norm=norm))
    images = jax.random.normal(jax.random.key(1), (2, 64, 64, 3))
    variables = jax.jit(model.init)(jax.random.key(0), images)
    step = jax.jit(lambda v, x: model.apply(v, x, train=True, mutable=['batch_stats']))
    _, updated = step(variables, images)
    moved = [
        bool(np.any(a != b))
        for a, b in zip(
            jax.tree.leaves(variables['batch_stats']), jax.tree.leaves(updated['batch_stats']), strict=True
        )
    ]
    assert all(moved) if norm == 'train' else not any(moved)


@pytest.mark.parametrize('name', find.names('detectors'))
@pytest.mark.parametrize(
    'keywords, message',
    [
        (dict(depth=18), 'depth=18'),
        (dict(width=0), 'width=0'),
        (dict(backbone_norm='none'), 'backbone_norm='),
    ],
)
def test_a_keyword_out_of_range_is_a_sentence(name, keywords, message):
    with pytest.raises(ValueError, match=message):
        make(name, keywords)
