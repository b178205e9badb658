import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment import halve
from resizemix_jax.datasets.fake import fake
from resizemix_jax.tasks.classify import classify
from tests import toy
from tests.tasks.method import CUT, PUZZLE, SALIENCYMIX, config, variables_of


@pytest.mark.slow
def test_prepare_augments_normalises_smooths_and_mixes(key):
    batch = toy.batch()
    plain = toy.task().prepare({}, {}, batch, key, 0.0)
    np.testing.assert_allclose(plain['images'], (batch['images'] / 255 - 0.5) / 0.25, atol=1e-5)
    np.testing.assert_array_equal(plain['labels'], np.eye(4)[batch['label']])
    mixed = toy.task(mixing='mixup').prepare({}, {}, batch, key, 0.0)
    np.testing.assert_allclose(mixed['labels'].sum(-1), 1, rtol=1e-6)
    assert not np.allclose(mixed['images'], plain['images'])


@pytest.mark.slow
def test_each_stage_has_its_own_key(key):
    # The crop must not change when the mixing does.
    augmented = toy.task(augment='crop_flip').prepare({}, {}, toy.batch(), key, 0.0)['images']
    cut = toy.task(augment='crop_flip', mixing='cutout', length=2).prepare({}, {}, toy.batch(), key, 0.0)[
        'images'
    ]
    np.testing.assert_array_equal(cut[cut != 0], augmented[cut != 0])


@pytest.mark.slow
def test_measure_counts_valid_examples_only():
    task = toy.task()
    variables = task.init(jax.random.key(0))
    batch = toy.batch(8) | {'valid': np.array([1, 1, 1, 0, 0, 0, 0, 0], np.float32)}
    sums, rows = task.measure(variables['params'], {}, batch)
    three = {name: array[:3] for name, array in batch.items()}
    expected, _ = task.measure(variables['params'], {}, three)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), sums, expected)
    totals = {name: float(value) for name, value in sums.items()} | {'examples': 3}
    summary = task.summarise(totals, rows, None)
    assert rows == {} and 0 <= summary[task.score] <= summary['top5'] <= 1


@pytest.mark.slow
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
            "saliency_layer=2: 'input_gradient' is a map of the images; leave it 0",
        ),
        ({'model': 'vgg'}, "models: there is no 'vgg'"),
    ],
)
@pytest.mark.slow
def test_bad_names_and_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        classify(config(**values), fake())


@pytest.mark.slow
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
    whole = dataclasses.replace(task, halve_eval=lambda key, images: images)
    small = batch | {'images': halve.halve(None, images, method='resize')}
    sums, expected = (
        jax.jit(t.measure)(*variables_of(variables), b) for t, b in ((task, batch), (whole, small))
    )
    jax.tree.map(np.testing.assert_allclose, sums, expected)
