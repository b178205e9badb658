"""The maps that guide a mixing: of the network as it is, of the images alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import keys
from resizemix_jax.datasets.fake import fake
from resizemix_jax.mixing.cut_paste import cut_paste
from resizemix_jax.mixing.saliencymix import saliencymix
from resizemix_jax.saliency import fine_grained
from resizemix_jax.tasks._guide import saliency_pass
from resizemix_jax.tasks.classify import View, classify
from tests import toy
from tests.tasks.method import CUT, PUZZLE, SALIENCYMIX, config, variables_of

pytestmark = pytest.mark.slow


def test_a_network_without_the_two_parts_has_no_map():
    with pytest.raises(ValueError, match='needs a network with the methods features and head; Linear lacks'):
        saliency_pass(toy.Linear(4, False), 'grad_cam', {})


@pytest.mark.parametrize('mode', ['train', 'eval'])
@pytest.mark.parametrize('layer', [0, 2])
def test_the_extra_pass_is_grad_cam_of_the_current_network(mode, layer):
    """Against hand-made Grad-CAM on the same network; and the running statistics do not move."""
    values = CUT | {'saliency_mode': mode, 'saliency_layer': layer}
    task = classify(config(**values), fake(image_shape=(8, 8, 1), num_classes=4))
    model, train = task.model, mode == 'train'
    images = jax.random.normal(jax.random.key(1), (4, 8, 8, 1))
    label = jnp.arange(4)

    def apply(variables, method, inputs):
        out = model.apply(
            variables,
            inputs,
            train=train,
            layer=layer,
            method=method,
            mutable=['batch_stats'] if train else [],
        )
        return out[0]

    @jax.jit
    def both():
        variables = jax.tree.map(lambda a: a + 0.1, task.init(jax.random.key(0)))
        made = task.saliency(*variables_of(variables), images, label, jax.random.key(2))
        features = apply(variables, 'features', images)
        best = apply(variables, 'head', features).argmax(-1)
        score = lambda x: apply(variables, 'head', x)[jnp.arange(4), best].sum()  # noqa: E731
        weights = jax.grad(score)(features).mean(axis=(1, 2), keepdims=True)
        heat = jnp.maximum((weights * features).mean(-1), 0)
        return made, jax.image.resize(heat, (4, 8, 8), 'linear')

    made, expected = both()
    assert float(expected.max()) > 0
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize('mode', ['train', 'eval'])
def test_the_extra_pass_can_look_at_the_images_themselves(mode):
    task = classify(config(**PUZZLE, saliency_mode=mode), fake(image_shape=(8, 8, 1), num_classes=4))
    images, label = jax.random.normal(jax.random.key(1), (4, 8, 8, 1)), jnp.arange(4)

    @jax.jit
    def both():
        variables = jax.tree.map(lambda a: a + 0.1, task.init(jax.random.key(0)))

        def loss(images):
            train = mode == 'train'
            logits, _ = task.model.apply(variables, images, train=train, mutable=['batch_stats'])
            return -jax.nn.log_softmax(logits)[jnp.arange(4), label].sum()

        made = task.saliency(*variables_of(variables), images, label, jax.random.key(2))
        return made, abs(jax.grad(loss)(images)[..., 0])

    made, expected = both()
    assert float(expected.max()) > 0
    np.testing.assert_allclose(made, expected, rtol=1e-3, atol=1e-6)


def test_the_maps_guide_the_mixing(key):
    """The patch of a salient row is centred where the partner's own map, of this very batch, is highest."""
    values = CUT | {'augment': 'none', 'augment_args': {}}
    task = classify(config(**values), fake(image_shape=(8, 8, 1), num_classes=8))
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), np.uint8)
    batch = {'images': images, 'label': np.arange(8, dtype=np.int32)}

    @jax.jit
    def both(key):
        params, batch_stats = variables_of(task.init(jax.random.key(0)))
        view = task.view(batch['images'], key, 0.0)
        maps = task.saliency(params, batch_stats, view, batch['label'], keys.stream(key, 'saliency'))
        return view, maps, task.prepare(params, batch_stats, batch, key, 0.0)

    view, maps, examples = jax.tree.map(np.asarray, both(key))
    expected = cut_paste(
        keys.stream(key, 'mix'), jnp.asarray(view), jnp.eye(8), source='salient', saliency=jnp.asarray(maps)
    )
    np.testing.assert_allclose(examples['images'], expected[0], atol=1e-6)
    np.testing.assert_allclose(examples['labels'], expected[1], atol=1e-6)
    assert (examples['images'] != view).any()


def test_a_map_of_the_image_alone_is_of_the_augmented_pixels_and_needs_no_network(key):
    task = classify(config(**SALIENCYMIX), fake(image_shape=(12, 9, 3), num_classes=8))
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 9, 3), np.uint8)
    batch = {'images': images, 'label': np.arange(8, dtype=np.int32)}

    @jax.jit
    def both(images):
        view, pixels = task.view(images, key, 0.0), View(task.view.stages[:-1])(images, key, 0.0)
        maps = fine_grained.fine_grained(pixels)
        expected = saliencymix(keys.stream(key, 'mix'), view, jnp.eye(8), prob=1.0, saliency=maps)
        return view, pixels, expected, task.prepare({}, {}, batch, key, 0.0)

    view, pixels, expected, examples = jax.tree.map(np.asarray, both(images))
    assert (pixels != images).any()
    np.testing.assert_allclose(examples['images'], expected[0], atol=1e-6)
    np.testing.assert_allclose(examples['labels'], expected[1], atol=1e-6)
    assert (examples['images'] != view).any()
