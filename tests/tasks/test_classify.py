import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import quickstart
from resizemix_jax.data.fake import fake
from resizemix_jax.tasks.classify import classify
from tests import toy


def config(**values):
    made = quickstart.get_config()
    made.update(values)
    return made


def test_prepare_augments_normalises_smooths_and_mixes(key):
    batch = toy.batch()
    plain = toy.task().prepare(batch, key)
    np.testing.assert_allclose(plain['images'], (batch['images'] / 255 - 0.5) / 0.25, atol=1e-5)
    np.testing.assert_array_equal(plain['labels'], np.eye(4)[batch['label']])
    mixed = toy.task(mixing='mixup').prepare(batch, key)
    np.testing.assert_allclose(mixed['labels'].sum(-1), 1, rtol=1e-6)
    assert not np.allclose(mixed['images'], plain['images'])


def test_each_stage_has_its_own_key(key):
    # The crop must not change when the mixing does.
    augmented = toy.task(augment='crop_flip').prepare(toy.batch(), key)['images']
    cut = toy.task(augment='crop_flip', mixing='cutout', length=2).prepare(toy.batch(), key)['images']
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
    for loss in ('ce', 'bce'):
        task = classify(config(loss=loss), dataset)
        variables = jax.jit(task.init)(jax.random.key(0))
        value, (stats, metrics) = jax.jit(task.loss)(*variables_of(variables), examples, jax.random.key(1))
        values[loss] = float(value)
        assert set(metrics) == set(task.metric_names) and stats
    assert values['ce'] > values['bce'] > 0


def variables_of(variables):
    return variables['params'], variables['batch_stats']


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'batch_norm': 'sync'}, "batch_norm='sync' must be one of: local, global"),
        ({'dtype': 'float16'}, "dtype='float16' must be"),
        ({'loss': 'mse'}, "loss='mse' must be one of: ce, bce"),
        ({'label_smoothing': 1.0}, 'label_smoothing=1.0 must be in'),
        ({'mixing': 'fmix'}, "mixing: there is no 'fmix'; there are: cutmix"),
        ({'mixing': 'mixup'}, 'mixup does not take antialias, method, tau; it takes: alpha, per'),
        ({'model': 'vit'}, "models: there is no 'vit'"),
        ({'augment': 'autoaugment'}, "augment: there is no 'autoaugment'"),
    ],
)
def test_bad_names_and_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        classify(config(**values), fake())
