import dataclasses

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import pytest

from configs import quickstart
from resizemix_jax import keys, static_saliency
from resizemix_jax.augment import halve
from resizemix_jax.augment.normalize import denormalize
from resizemix_jax.data.fake import fake
from resizemix_jax.mixing.cut_paste import cut_paste
from resizemix_jax.mixing.saliencymix import saliencymix
from resizemix_jax.tasks.classify import classify
from resizemix_jax.tasks.extra_pass import saliency_pass
from tests import toy

PUZZLE = {'mixing': 'puzzlemix', 'mixing_args': {}, 'saliency': 'input_gradient'}
CUT = {'mixing': 'cut_paste', 'mixing_args': {'source': 'salient'}, 'saliency': 'grad_cam'}
SALIENCYMIX = {'mixing': 'saliencymix', 'mixing_args': {'prob': 1.0}, 'saliency': 'fine_grained'}


def config(**values):
    made = quickstart.get_config()
    for key, value in values.items():
        made[key] = ml_collections.ConfigDict(value) if isinstance(value, dict) else value
    return made


def test_prepare_augments_normalises_smooths_and_mixes(key):
    batch = toy.batch()
    plain = toy.task().prepare({}, {}, batch, key, 0.0)
    np.testing.assert_allclose(plain['images'], (batch['images'] / 255 - 0.5) / 0.25, atol=1e-5)
    np.testing.assert_array_equal(plain['labels'], np.eye(4)[batch['label']])
    mixed = toy.task(mixing='mixup').prepare({}, {}, batch, key, 0.0)
    np.testing.assert_allclose(mixed['labels'].sum(-1), 1, rtol=1e-6)
    assert not np.allclose(mixed['images'], plain['images'])


def test_each_stage_has_its_own_key(key):
    # The crop must not change when the mixing does.
    augmented = toy.task(augment='crop_flip').prepare({}, {}, toy.batch(), key, 0.0)['images']
    cut = toy.task(augment='crop_flip', mixing='cutout', length=2).prepare({}, {}, toy.batch(), key, 0.0)[
        'images'
    ]
    np.testing.assert_array_equal(cut[cut != 0], augmented[cut != 0])


def test_measure_counts_valid_examples_only():
    task = toy.task()
    variables = task.init(jax.random.key(0))
    batch = toy.batch(8) | {'valid': np.array([1, 1, 1, 0, 0, 0, 0, 0], np.float32)}
    sums = task.measure(variables['params'], {}, batch)
    three = {name: array[:3] for name, array in batch.items()}
    expected = task.measure(variables['params'], {}, three)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), sums, expected)
    summary = task.summarise({name: float(value) for name, value in sums.items()})
    assert summary['examples'] == 3 and 0 <= summary['top1'] <= summary['top5'] <= 1


def test_losses_are_chosen_by_name():
    dataset = fake(image_shape=(8, 8, 1), num_classes=4)
    examples = {'images': jnp.zeros((2, 8, 8, 1)), 'labels': jnp.eye(4)[:2]}
    values = {}
    for loss in ('ce', 'bce', 'bce_softmax'):
        task = classify(config(loss=loss), dataset)
        variables = jax.jit(task.init)(jax.random.key(0))
        value, (stats, metrics) = jax.jit(task.loss)(*variables_of(variables), examples, jax.random.key(1))
        values[loss] = float(value)
        assert set(metrics) == set(task.metric_names) and stats
    assert values['ce'] > values['bce'] > values['bce_softmax'] > 0


def variables_of(variables):
    return variables['params'], variables['batch_stats']


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'batch_norm': 'sync'}, "batch_norm='sync' must be one of: local, global"),
        ({'dtype': 'float16'}, "dtype='float16' must be"),
        ({'loss': 'mse'}, "loss='mse' must be one of: ce, bce"),
        ({'label_smoothing': 1.0}, 'label_smoothing=1.0 must be in'),
        ({'mixing': 'automix'}, "mixing: there is no 'automix'; there are: cut_paste, cutmix"),
        ({'mixing': 'mixup'}, 'mixup does not take antialias, method, tau; it takes: alpha, per'),
        ({'policy': 'automix'}, "augment: there is no 'automix'; there are: augmix, autoaugment"),
        ({'policy': 'dada', 'policy_args': {'m': 3}}, 'dada does not take m; it takes: policy, per'),
        (
            {'policy_place': 'after'},
            "policy_place='after' must be one of: before_crop, before_mixing, after_",
        ),
        ({'batch_augment': 2}, "batch_augment=2 repeats the policy .* policy_place='after_mixing'"),
        ({'half_train': 'tiny'}, "half_train='tiny' must be one of: full, random_crop, center_crop, resize"),
        ({'half_eval': 'random_crop'}, "half_eval='random_crop' must be one of: full, center_crop, resize"),
        ({'saliency': 'grad_cam'}, "mixing='resizemix' takes no saliency map; leave it empty"),
        (CUT | {'saliency': 'lime'}, "saliency='lime' must be one of: grad_cam, cam"),
        (CUT | {'saliency_mode': 'test'}, "saliency_mode='test' must be one of: train, eval"),
        (CUT | {'saliency_args': {'layer': 1}}, 'grad_cam does not take layer; it takes: target, reduction'),
        (SALIENCYMIX | {'saliency_args': {'n': 1}}, 'fine_grained does not take n; it takes: no keywords'),
        (
            PUZZLE | {'saliency_layer': 2},
            "saliency_layer=2: 'input_gradient' looks at the images; leave it 0",
        ),
        ({'model': 'vit'}, "models: there is no 'vit'"),
    ],
)
def test_bad_names_and_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        classify(config(**values), fake())


def test_a_network_without_the_two_parts_has_no_map():
    with pytest.raises(ValueError, match='needs a network with the methods features and head; Linear has'):
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
        view, pixels = task.view(images, key, 0.0), task.augment(keys.stream(key, 'augment'), images)
        maps = static_saliency.fine_grained(pixels)
        expected = saliencymix(keys.stream(key, 'mix'), view, jnp.eye(8), prob=1.0, saliency=maps)
        return view, pixels, expected, task.prepare({}, {}, batch, key, 0.0)

    view, pixels, expected, examples = jax.tree.map(np.asarray, both(images))
    assert (pixels != images).any()
    np.testing.assert_allclose(examples['images'], expected[0], atol=1e-6)
    np.testing.assert_allclose(examples['labels'], expected[1], atol=1e-6)
    assert (examples['images'] != view).any()


def test_training_and_evaluation_see_half_the_side(key):
    task = classify(
        config(half_train='random_crop', half_eval='resize', augment='none', augment_args={}, mixing='none',
               mixing_args={}),
        fake(image_shape=(12, 8, 1), num_classes=4),
    )  # fmt: skip
    images = jax.random.randint(key, (4, 12, 8, 1), 0, 256).astype(jnp.uint8)
    batch = {'images': images, 'label': jnp.arange(4), 'valid': jnp.ones(4)}
    prepare = jax.jit(task.prepare)
    assert prepare({}, {}, batch, key, 0.0)['images'].shape == (4, 6, 4, 1)
    variables = jax.jit(task.init)(key)
    whole = dataclasses.replace(task, halve_eval=halve.full)
    small = batch | {'images': halve.resize(None, images)}
    sums, expected = (
        jax.jit(t.measure)(*variables_of(variables), b) for t, b in ((task, batch), (whole, small))
    )
    jax.tree.map(np.testing.assert_allclose, sums, expected)


INVERT = {'policy': 'operation', 'policy_args': {'name': 'Invert'}}
SOLARIZE = {'policy': 'operation', 'policy_args': {'name': 'Solarize', 'level': 0.5}}
CUTOUT = {'policy': 'operation', 'policy_args': {'name': 'Cutout', 'level': 1.0}}
MIXUP = {'augment': 'none', 'augment_args': {}, 'mixing': 'mixup', 'mixing_args': {'alpha': 1.0}}
CROP = {'augment_args': {'padding': 8, 'flip': False}, 'mixing': 'none', 'mixing_args': {}}


def prepared(images, key, progress=0.0, **values):
    """The images as uint8, and the labels, of a batch of one channel."""
    task = classify(config(**values), fake(image_shape=images.shape[1:], num_classes=4))
    batch = {'images': images, 'label': np.arange(len(images), dtype=np.int32) % 4}
    examples = jax.jit(task.prepare)({}, {}, batch, key, progress)
    return np.asarray(denormalize(examples['images'], (0.5,), (0.25,))), examples['labels']


def noise(size=8, side=8):
    return np.random.default_rng(0).integers(0, 256, (size, side, side, 1), np.uint8)


@pytest.mark.parametrize('place', ['before_crop', 'before_mixing', 'after_mixing'])
def test_where_the_policy_stands(place, key):
    """The border of the crop is black after a policy before it, and inverted by one that follows."""
    images = np.full((16, 8, 8, 1), 55, np.uint8)
    plain, _ = prepared(images, key, **CROP)
    assert {0, 55} == set(np.unique(plain))
    shown, _ = prepared(images, key, **CROP, **INVERT, policy_place=place)
    expected = 255 - plain if place != 'before_crop' else np.where(plain == 55, 200, 0)
    np.testing.assert_array_equal(shown, expected)


def test_the_policy_is_of_each_image_before_mixing_and_of_the_mixture_after(key):
    mixed, labels = prepared(noise(), key, **MIXUP)
    after, labels_after = prepared(noise(), key, **MIXUP, **SOLARIZE, policy_place='after_mixing')
    before, labels_before = prepared(noise(), key, **MIXUP, **SOLARIZE, policy_place='before_mixing')
    np.testing.assert_array_equal(after, np.where(mixed >= 128, 255 - mixed, mixed))
    assert before.max() <= 128 and (before != after).any()
    np.testing.assert_array_equal(labels, labels_after)
    np.testing.assert_array_equal(labels, labels_before)


def test_batch_augmentation_makes_two_of_every_mixed_image(key):
    white = np.full((8, 8, 8, 1), 255, np.uint8)
    images, labels = prepared(white, key, **MIXUP, **CUTOUT, policy_place='after_mixing', batch_augment=2)
    assert images.shape == (16, 8, 8, 1)
    np.testing.assert_array_equal(labels[:8], labels[8:])
    assert (images[:8] != images[8:]).any(axis=(1, 2, 3)).sum() > 4  # each its own hole


def test_a_schedule_is_told_how_far_the_training_is(key):
    pba = {'policy': 'pba', 'policy_args': {}, 'augment': 'none', 'augment_args': {}} | CROP
    pba['augment_args'] = {}
    changed = [
        int((prepared(noise(16, 16), key, p, **pba)[0] != noise(16, 16)).any(axis=(1, 2, 3)).sum())
        for p in (0.0, 0.05, 0.9)
    ]
    assert changed[0] == changed[1] == 0 and changed[2] > 4
