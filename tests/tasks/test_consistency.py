import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import metrics
from resizemix_jax.datasets.fake import fake
from resizemix_jax.find import bind
from resizemix_jax.tasks.classify import View
from resizemix_jax.tasks.consistency import consistency
from tests import tiny

DATASET = fake(image_shape=(8, 8, 1), num_classes=4, train_size=64, eval_size=8)
KEYS = dict(task='consistency', mixing='none', policy='operation', policy_place='before_mixing')


def config(**values):
    made = tiny.config(**(KEYS | values))
    made.mixing_args = {}
    return made


def batch(size=6):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (size, 8, 8, 1), np.uint8)
    return {'images': images, 'label': rng.integers(0, 4, size, np.int32)}


@pytest.mark.slow
def test_the_divergence_of_predictions():
    p = np.array([[[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.3, 0.4]], [[0.2, 0.5, 0.3]] * 3])
    m = p.mean(1, keepdims=True)
    expected = (p * np.log(p / m)).sum(-1).mean(-1)
    np.testing.assert_allclose(metrics.jensen_shannon(jnp.log(p)), expected, atol=1e-6)
    # Three views that are sure of three classes: log 3. Certainty is no infinity.
    sure = 200 * jnp.eye(3)[None]
    np.testing.assert_allclose(metrics.jensen_shannon(sure), np.log(3), rtol=1e-5)
    assert jnp.isfinite(jax.grad(lambda a: metrics.jensen_shannon(a).sum())(sure)).all()


@pytest.mark.slow
def test_the_views_are_of_one_crop_and_each_draws_its_own(key):
    task = consistency(config(policy_args={'name': 'Brightness', 'level': 0.0}), DATASET)
    made = task.prepare({}, {}, batch(), key, 0.0)
    assert made['images'].shape == (6, 3, 8, 8, 1)
    np.testing.assert_array_equal(made['labels'], np.eye(4)[batch()['label']])
    stored = np.asarray(made['images'] * DATASET.std[0] + DATASET.mean[0]) * 255
    cropped = np.asarray(View(task.view.stages[:1])(batch()['images'], key, 0.0))
    np.testing.assert_allclose(stored[:, 0], cropped, atol=1e-2)
    for view in (1, 2):  # a tenth of the brightness, of the same crop
        np.testing.assert_allclose(stored[:, view], np.floor(cropped * np.float32(0.1)), atol=1e-2)
    task = consistency(config(policy_args={'name': 'Rotate', 'level': 1.0}), DATASET)
    images = np.asarray(task.prepare({}, {}, batch(), key, 0.0)['images'])
    assert (images[:, 1] != images[:, 0]).any() and (images[:, 1] != images[:, 2]).any()


@pytest.mark.slow
def test_the_loss_is_that_of_the_clean_image_and_the_divergence(key):
    """In evaluation mode of a network without dropout the three could be passed one by one."""
    losses = {}
    for weight in (0.0, 12.0):
        task = consistency(config(policy_args={'name': 'Invert'}), DATASET, weight=weight)
        variables = task.init(key)
        examples = task.prepare({}, {}, batch(), key, 0.0)
        loss, (_, measured) = task.loss(variables['params'], variables['batch_stats'], examples, key)
        losses[weight] = float(loss), measured
    (plain, _), (whole, measured) = losses[0.0], losses[12.0]
    assert measured['divergence'] > 1e-4 and set(measured) == set(task.metric_names)
    np.testing.assert_allclose(whole, plain + 12 * measured['divergence'], rtol=1e-5)
    images = examples['images'].reshape(-1, 8, 8, 1)
    logits, _ = task.model.apply(variables, images, train=True, mutable=['batch_stats'])
    first = logits.reshape(6, 3, -1)[:, 0]
    expected = metrics.softmax_cross_entropy(first, examples['labels']).mean()
    np.testing.assert_allclose(plain, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ('values', 'keywords', 'message'),
    [
        ({'policy': 'none'}, {}, "set policy, e.g. policy='augmix'"),
        ({'policy_place': 'before_crop'}, {}, "set policy_place='before_mixing'"),
        ({'mixing': 'mixup'}, {}, "mixing='mixup' does not fit task='consistency'"),
        ({}, {'views': 0}, 'views=0 must be from 1 to 64'),
        ({}, {'weight': -1.0}, 'weight=-1.0 must be >= 0'),
    ],
)
def test_what_does_not_fit_is_refused(values, keywords, message):
    with pytest.raises(ValueError, match=message):
        consistency(config(**values), DATASET, **keywords)
    with pytest.raises(ValueError, match='does not take view; it takes: views, weight'):
        bind('tasks', 'consistency', {'view': 1})
