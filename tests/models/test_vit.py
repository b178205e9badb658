"""The Vision Transformer beside one made of torch.nn's modules, see tests/reference/make_vit.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.models.vit import vit
from tests.reference import make_vit

pytestmark = pytest.mark.slow

TINY = dict(patch=4, width=8, depth=2, heads=2)


def from_torch(weights, pool):
    """Our tree of the reference's parameters."""

    def linear(name):
        return {'kernel': weights[f'{name}.weight'].T, 'bias': weights[f'{name}.bias']}

    def norm(name):
        return {'scale': weights[f'{name}.weight'], 'bias': weights[f'{name}.bias']}

    def block(name):
        attention = f'{name}.self_attn'
        kernel, bias = weights[f'{attention}.in_proj_weight'], weights[f'{attention}.in_proj_bias']
        return {
            'norm1': norm(f'{name}.norm1'),
            'qkv': {'kernel': kernel.T, 'bias': bias},
            'proj': linear(f'{attention}.out_proj'),
            'norm2': norm(f'{name}.norm2'),
            'fc1': linear(f'{name}.linear1'),
            'fc2': linear(f'{name}.linear2'),
        }

    kernel = weights['patch.weight'].transpose(2, 3, 1, 0)
    backbone = {
        'patch_embed': {'kernel': kernel, 'bias': weights['patch.bias']},
        'pos_embed': weights['positions'] if pool == 'token' else weights['positions'][:, 1:],
        **({'cls_token': weights['token']} if pool == 'token' else {}),
        **{f'block{i + 1}': block(f'encoder.layers.{i}') for i in range(make_vit.DEPTH)},
    }
    return {'backbone': backbone, 'top': {'norm': norm('encoder.norm'), 'classifier': linear('head')}}


@pytest.mark.parametrize('pool', ['token', 'mean'])
def test_logits_are_those_of_torch(pool):
    weights, images = make_vit.inputs()
    images = images.transpose(0, 2, 3, 1)
    model = vit(make_vit.CLASSES, pool=pool, **TINY)
    params = from_torch(weights, pool)
    shapes = jax.eval_shape(model.init, jax.random.key(0), images)['params']
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(jnp.shape, shapes)
    with np.load(make_vit.FILE) as recorded:
        expected = recorded[pool]
    assert np.ptp(expected, axis=0).max() > 0.1  # the images differ by far more than the tolerance
    np.testing.assert_allclose(model.apply({'params': params}, images), expected, atol=1e-5)


def test_the_initial_weights_are_timm_s():
    params = vit(10, patch=8, width=256, depth=1, heads=4).init(jax.random.key(0), jnp.zeros((1, 64, 64, 3)))
    backbone, top = params['params']['backbone'], params['params']['top']
    for leaf in (backbone['pos_embed'], backbone['block1']['qkv']['kernel'], top['classifier']['kernel']):
        assert float(leaf.std()) == pytest.approx(0.02, rel=0.05)
    assert 0 < float(abs(backbone['cls_token']).max()) < 1e-5
    bound = (8 * 8 * 3) ** -0.5  # torch's uniform for a convolution
    kernel = abs(backbone['patch_embed']['kernel'])
    assert float(kernel.max()) == pytest.approx(bound, rel=0.01) and float(kernel.mean()) < 0.52 * bound
    assert not backbone['block1']['fc1']['bias'].any()


def test_images_that_do_not_fit_are_refused():
    model = vit(5, **TINY)
    with pytest.raises(ValueError, match='images of 12 x 10 pixels: the sides must be multiples of patch=4'):
        model.init(jax.random.key(0), jnp.zeros((1, 12, 10, 3)))
    variables = model.init(jax.random.key(0), jnp.zeros((1, 12, 12, 3)))
    with pytest.raises(ValueError, match='positions for 10 tokens, and images of this size give 5'):
        model.apply(variables, jnp.zeros((1, 8, 8, 3)))


def test_maps_are_of_the_patches_without_a_class_token():
    images = jax.random.normal(jax.random.key(1), (1, 8, 12, 3))
    model = vit(5, pool='mean', **TINY)
    variables = model.init(jax.random.key(0), images)
    before = model.apply(variables, images, layer=1, method='features')
    other = model.apply(variables, images.at[:, 4:, 8:].add(1.0), layer=1, method='features')
    change = abs(before - other).sum(axis=-1)[0]
    assert change.shape == (2, 3) and np.unravel_index(change.argmax(), (2, 3)) == (1, 2)
    assert not hasattr(vit(5, pool='token', **TINY), 'features')
