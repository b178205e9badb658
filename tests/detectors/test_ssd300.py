import jax
import jax.numpy as jnp
import pytest

from resizemix_jax.detectors.ssd300 import SHAPES, VARIANTS, ssd300


def parameters(model, side=300):
    images = jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32)
    return jax.eval_shape(model.init, jax.random.key(0), images)['params']


def channels(params, names):
    return [params[name]['kernel'].shape[2] for name in names]


@pytest.mark.parametrize('variant', VARIANTS)
def test_levels_have_the_channels_of_vgg_s_ssd(variant):
    params = parameters(ssd300(80, variant=variant))
    first = [1024, 512, 512] if variant == 'nvidia' else [512, 1024, 512]
    assert channels(params, [f'logits{k}' for k in range(1, 7)]) == [*first, 256, 256, 256]
    per_cell = [params[f'offsets{k}']['bias'].size // 4 for k in range(1, 7)]
    assert per_cell == [4, 6, 6, 6, 4, 4]
    assert [params[f'logits{k}']['bias'].size for k in (1, 2)] == [4 * 81, 6 * 81]
    assert ('extra1_norm1' in params) == (variant == 'nvidia')
    assert ('bias' in params['extra1_conv1']) == (variant != 'nvidia')


def test_anchors_are_those_of_the_set():
    coco, voc = (ssd300(20, anchors=name).anchors() for name in ('coco', 'voc'))
    assert coco.shape == (8732, 4) and voc.shape == (8732, 4)
    assert sum(h * w * n for (h, w), n in zip(SHAPES, (4, 6, 6, 6, 4, 4), strict=True)) == 8732
    assert coco[0].tolist() == [-6.5, -6.5, 14.5, 14.5]
    assert voc[0].tolist() == [-11.0, -11.0, 19.0, 19.0]


def test_another_size_of_images_is_a_sentence():
    with pytest.raises(ValueError, match='images of 256 x 256 pixels give levels of .*the anchors are for'):
        parameters(ssd300(20, depth=14, width=4), side=256)


@pytest.mark.parametrize(
    'keywords, message',
    [(dict(variant='c4'), "variant='c4'"), (dict(anchors='lvis'), "anchors='lvis'")],
)
def test_an_unknown_name_is_a_sentence(keywords, message):
    with pytest.raises(ValueError, match=message):
        ssd300(20, **keywords)
