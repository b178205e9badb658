import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import build, train
from resizemix_jax import config as configs
from resizemix_jax import keys as keys_of
from resizemix_jax.detection import distortion
from resizemix_jax.detection.assign import SSD, assign
from resizemix_jax.detection.boxes import HEAD_STDS, encode, iou
from resizemix_jax.errors import ConfigError, PreemptedError
from resizemix_jax.tasks._detection import inside, normal
from tests.input import vockit
from tests.test_train import final_state, rows, terminate_at

KEYS = dict(
    task='detect_ssd',
    dataset='fashion_scenes',
    dataset_args=dict(train_size=24, eval_size=10),
    model='ssd64',
    model_args=dict(width=4),
    batch_size=8,
    eval_batch_size=8,
    epochs=2,
    log_every_steps=2,
    num_devices=1,
)


def config(**values):
    return configs.complete(configs.assign(configs.base(), KEYS | values))


@pytest.fixture(scope='module')
def run():
    return build.open_run(build.plan(config()))


@pytest.fixture(scope='module')
def variables(run):
    return jax.jit(run.plan.task.init)(jax.random.key(0))


def examples(run, count=8):
    batch = run.train['train'].batch(np.arange(count), None)
    return {name: jnp.asarray(array) for name, array in batch.items()}


def test_images_and_boxes_are_mirrored_together(run):
    task, batch = run.plan.task, examples(run)
    key = keys_of.stream(jax.random.key(3), 'flip')
    mirrored = np.asarray(jax.random.bernoulli(key, 0.5, (8,)))
    found = task.prepare({}, {}, batch, jax.random.key(3), 0.0)
    plain = np.asarray(normal(batch, task.dataset)['images'])
    assert 0 < mirrored.sum() < 8
    for i in range(8):
        image = plain[i, :, ::-1] if mirrored[i] else plain[i]
        np.testing.assert_array_equal(found['images'][i], image)
        x0, y0, x1, y1 = np.asarray(batch['boxes'][i]).T
        expected = [64 - x1, y0, 64 - x0, y1] if mirrored[i] else [x0, y0, x1, y1]
        np.testing.assert_array_equal(np.asarray(found['boxes'][i]).T, expected)


def test_an_image_is_mirrored_within_its_own_size(run):
    batch = examples(run) | {'size': jnp.tile(jnp.float32([[40, 50]]), (8, 1))}
    images = np.asarray(inside(batch['images'].astype(jnp.float32), batch['size']))
    assert not images[:, 40:].any() and not images[:, :, 50:].any() and images[:, 39, 49].any()
    found = run.plan.task.prepare({}, {}, batch, jax.random.key(3), 0.0)['images']
    plain = np.asarray(normal(batch, run.plan.dataset)['images'])
    for one, before in zip(np.asarray(found), plain, strict=True):
        mirrored = np.pad(before[:, 49::-1], ((0, 0), (0, 14), (0, 0)))
        assert np.array_equal(one, before) or np.array_equal(one, mirrored)
    assert any(not np.array_equal(one, before) for one, before in zip(np.asarray(found), plain, strict=True))


@pytest.mark.slow
def test_padding_changes_no_loss(run, variables):
    task, batch = run.plan.task, examples(run)
    prepared = batch | {'images': normal(batch, task.dataset)['images']}
    loss = jax.jit(task.loss)
    expected, _ = loss(variables['params'], variables['batch_stats'], prepared, jax.random.key(0))
    room = {'boxes': ((0, 0), (0, 5), (0, 0)), 'label': ((0, 0), (0, 5))}
    wider = prepared | {name: jnp.pad(prepared[name], how, constant_values=3) for name, how in room.items()}
    found, (_, measured) = loss(variables['params'], variables['batch_stats'], wider, jax.random.key(0))
    assert found == pytest.approx(float(expected), rel=1e-6)
    assert measured['loss'] == pytest.approx(float(measured['classes_loss'] + measured['boxes_loss']))


@pytest.mark.slow
def test_perfect_outputs_are_a_perfect_score(run):
    """Logits and offsets that say the truth, through decoding, NMS and the measure."""
    task, split = run.plan.task, run.eval
    anchors = np.asarray(task.model.anchors())

    class Told:
        """A network that knows the boxes of the images that it is shown."""

        def apply(self, variables, images, **how):
            return variables['params']

        def anchors(self):
            return anchors

    batch = {name: jnp.asarray(a) for name, a in split.batch(np.arange(split.size), None).items()}
    logits = np.full((split.size, len(anchors), 11), -20.0, np.float32)
    offsets = np.zeros((split.size, len(anchors), 4), np.float32)
    logits[..., 10] = 20.0
    for i, (boxes, label) in enumerate(split.examples):
        real = jnp.ones(len(boxes), bool)
        for anchor, box in enumerate(np.asarray(assign(iou(boxes, anchors), real, **SSD))):
            if box >= 0:
                logits[i, anchor, label[box]] = 30.0
                offsets[i, anchor] = encode(boxes[box], anchors[anchor], stds=HEAD_STDS)
    told = dataclasses.replace(task, model=Told())
    _, found = jax.jit(told.measure)((jnp.asarray(logits), jnp.asarray(offsets)), {}, batch)
    measured = told.summarise({}, {name: np.asarray(a) for name, a in found.items()}, split)
    assert measured == {'map': 1.0, 'map_75': 1.0, 'overflow': 0.0}
    doubled = batch | {'scale': 2 * batch['scale']}
    _, half = jax.jit(told.measure)((jnp.asarray(logits), jnp.asarray(offsets)), {}, doubled)
    np.testing.assert_allclose(half['boxes'], found['boxes'] / 2)


@pytest.mark.slow
def test_a_stopped_detector_continues_bit_by_bit(tmp_path, monkeypatch):
    unbroken = train.train_and_evaluate(config(), tmp_path / 'unbroken')
    with monkeypatch.context() as patch:
        terminate_at(patch, 'train_batch', 4)
        with pytest.raises(PreemptedError, match='saved at step 4;'):
            train.train_and_evaluate(config(), tmp_path / 'stopped')
    continued = train.train_and_evaluate(config(), tmp_path / 'stopped')
    states = [final_state(tmp_path / name, config())[0] for name in ('unbroken', 'stopped')]
    for one, two in zip(*states, strict=True):
        np.testing.assert_array_equal(one, two)
    assert rows(tmp_path / 'stopped') == rows(tmp_path / 'unbroken')
    assert continued['map_last'] == unbroken['map_last'] and continued['score'] == 'map'
    identity = json.loads((tmp_path / 'unbroken/identity.jsonl').read_text().splitlines()[0])
    assert identity['data']['train']['size'] == 24


@pytest.mark.parametrize(
    'values, message',
    [
        (dict(mixing='cutmix'), "mixing='cutmix' is for classification"),
        (dict(label_smoothing=0.1), 'label_smoothing=0.1 is for classification'),
        (dict(micro_batches=2), 'micro_batches=2: the loss of a detector'),
        (dict(dataset='fashion_mnist_10k', dataset_args={}), "dataset='fashion_mnist_10k' has no boxes"),
        (
            dict(model='faster_rcnn', model_args={}),
            "model='faster_rcnn' has no anchors; take ssd300 or ssd64",
        ),
        (
            dict(model='wide_resnet', model_args={}),
            "model='wide_resnet': detectors: there is no 'wide_resnet'",
        ),
        (dict(model='ssd300', model_args={}), 'images of 64 x 64 pixels give levels of'),
        (dict(task_args=dict(measure='ap')), "task_args.measure='ap'"),
        (dict(task_args=dict(flip_prob=2.0)), 'task_args.flip_prob=2.0'),
        (dict(task_args=dict(distort=True)), 'changes colours, and .* has images of 1 channel'),
        (dict(held_out=0.1), 'an image of several classes cannot be held out'),
    ],
)
def test_what_does_not_fit_is_a_sentence(values, message):
    with pytest.raises((ConfigError, ValueError), match=message):
        build.plan(config(**values))


def test_colours_are_distorted_before_they_are_normalised(tmp_path):
    root = vockit.write(tmp_path)
    keys = dict(dataset=f'voc:{root}', dataset_args={}, model='ssd300', model_args=dict(depth=14, width=4))
    tasks = [build.plan(config(**keys, task_args=dict(distort=d, flip_prob=0.0))).task for d in (False, True)]
    split = tasks[0].dataset.read('train', '')
    batch = {name: jnp.asarray(array) for name, array in split.batch(np.arange(3), None).items()}
    plain, changed = (task.prepare({}, {}, batch, jax.random.key(0), 0.0)['images'] for task in tasks)
    images = distortion.distort(keys_of.stream(jax.random.key(0), 'distort'), batch['images'])
    expected = normal(batch | {'images': images}, tasks[0].dataset)['images']
    np.testing.assert_allclose(changed, expected, atol=1e-5)
    assert not np.allclose(plain, changed)
