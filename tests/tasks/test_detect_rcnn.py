import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import build, train
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError
from resizemix_jax.tasks._detection import normal
from tests.input import vockit

SMALL = dict(
    anchor_scale=4.0, candidates=64, eval_candidates=64, proposals=32, rpn_sample=32, head_sample=16,
    frozen_stages=0,
)  # fmt: skip
KEYS = dict(
    task='detect_rcnn',
    task_args=SMALL,
    dataset='fashion_scenes',
    dataset_args=dict(train_size=16, eval_size=6),
    model='faster_rcnn',
    model_args=dict(depth=14, width=4, channels=8, hidden=16, backbone_norm='train'),
    batch_size=4,
    eval_batch_size=4,
    epochs=1,
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


def examples(run, count=4):
    batch = run.train['train'].batch(np.arange(count), None)
    return normal({name: jnp.asarray(array) for name, array in batch.items()}, run.plan.dataset)


@pytest.mark.slow
def test_a_loss_and_its_gradient(run, variables):
    task, batch = run.plan.task, examples(run)

    def loss(params, batch):
        return task.loss(params, variables['batch_stats'], batch, jax.random.key(1))

    step = jax.jit(jax.value_and_grad(loss, has_aux=True))
    (value, (_, measured)), gradient = step(variables['params'], batch)
    assert measured['loss'] == value == pytest.approx(sum(float(measured[k]) for k in task.metric_names[1:]))
    # before it has learned anything: half of the anchors' logits are wrong by chance, and one class of 11
    assert measured['rpn_classes_loss'] == pytest.approx(np.log(2), rel=0.1)
    assert measured['classes_loss'] == pytest.approx(np.log(11), rel=0.1)
    moved = {path[0].key for path, leaf in jax.tree_util.tree_leaves_with_path(gradient) if np.any(leaf != 0)}
    assert moved == {'backbone', 'fpn', 'rpn', 'roi_head'}
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    # padding changes nothing
    room = {'boxes': ((0, 0), (0, 3), (0, 0)), 'label': ((0, 0), (0, 3))}
    wider = batch | {name: jnp.pad(batch[name], how, constant_values=2) for name, how in room.items()}
    (padded, _), _ = step(variables['params'], wider)
    assert padded == pytest.approx(float(value), rel=1e-6)


@pytest.mark.slow
def test_every_image_is_measured_once(run, variables):
    task, split = run.plan.task, run.eval
    batch = {name: jnp.asarray(a) for name, a in split.batch(np.arange(split.size), None).items()}
    _, found = jax.jit(task.measure)(variables['params'], variables['batch_stats'], batch)
    assert found['boxes'].shape == (6, 100, 4) and found['label'].shape == (6, 100)
    boxes = np.asarray(found['boxes'])
    assert boxes.min() >= 0 and boxes.max() <= 64
    result = task.summarise({}, {name: np.asarray(array) for name, array in found.items()}, split)
    assert 0 <= result['map'] <= 1 and result['overflow'] == 0


def test_the_first_stage_is_frozen_by_default():
    plan = build.plan(config(task_args=SMALL | dict(frozen_stages=1)))
    assert 'backbone/stage1_*' in plan.frozen


@pytest.mark.parametrize(
    'values, message',
    [
        (dict(model='ssd64', model_args={}), "model='ssd64' has no second stage; take faster_rcnn"),
        (dict(task_args=dict(frozen_stages=2)), 'task_args.frozen_stages=2'),
        (dict(task_args=dict(proposals=0)), 'task_args.proposals=0'),
        (dict(task_args=dict(anchor_scale=0.0)), 'task_args.anchor_scale=0.0'),
    ],
)
def test_what_does_not_fit_is_a_sentence(values, message):
    with pytest.raises((ConfigError, ValueError), match=message):
        build.plan(config(**values))


@pytest.mark.slow
def test_pictures_of_two_shapes_are_trained_on_and_each_is_measured_once(tmp_path):
    root = vockit.write(tmp_path / 'VOCdevkit')
    keep = dict(resize='keep', longest=96, shortest=64)
    made = config(dataset=f'voc:{root}', dataset_args=keep, batch_size=2, eval_batch_size=2, epochs=2)
    result = train.train_and_evaluate(made, tmp_path / 'run')
    assert result['steps'] == 4  # two batches an epoch, one of each bucket, filled up
    assert 0 <= result['map_last'] <= 1 and np.isfinite(result['map_last'])
    rows = [json.loads(line) for line in (tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()]
    assert all(np.isfinite(row['train_loss']) for row in rows if 'train_loss' in row)
