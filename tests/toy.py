"""The smallest real task: a linear network, with BatchNorm or without, on tiny made-up images."""

import functools

import flax.linen as nn
import jax
import numpy as np

from resizemix_jax import metrics, step
from resizemix_jax import state as states
from resizemix_jax.datasets.fake import fake
from resizemix_jax.devices import parallel
from resizemix_jax.find import find
from resizemix_jax.layers import batch_norm
from resizemix_jax.normalize import normalize
from resizemix_jax.optimizers.sgd import sgd
from resizemix_jax.tasks.classify import Classify, Stage, View

DATASET = fake(image_shape=(6, 5, 1), num_classes=4, train_size=64, eval_size=37)


class Linear(nn.Module):
    num_classes: int
    norm: bool
    batch_axis: str = ''

    @nn.compact
    def __call__(self, images, train=False):
        x = images.reshape(images.shape[0], -1)
        if self.norm:
            x = batch_norm(train, self.batch_axis, 'float32')(name='norm')(x)
        return nn.Dense(self.num_classes)(x)


def task(norm=False, mixing='none', augment='none', batch_norm='local', **mixing_args):
    return Classify(
        model=Linear(4, norm, parallel.AXIS if batch_norm == 'global' else ''),
        dataset=DATASET,
        view=View(
            (
                Stage('augment', lambda key, images, progress: find('augment', augment)(key, images)),
                Stage('normalize', lambda key, images, progress: normalize(images, (0.5,), (0.25,))),
            )
        ),
        after=View(()),
        batch_augment=1,
        halve_eval=lambda key, images: images,
        mix=functools.partial(find('mixing', mixing), **mixing_args),
        saliency=None,
        example_loss=metrics.softmax_cross_entropy,
        label_smoothing=0.0,
    )


def tx():
    return sgd(lambda step: 0.1, weight_decay=1e-3)


def state(task, devices=None):
    variables = task.init(jax.random.key(0))
    fresh = states.create(variables, tx(), task.metric_names)
    return parallel.place(fresh, devices) if devices else fresh


def batch(size=16, seed=0):
    rng = np.random.default_rng(seed)
    return {
        'images': rng.integers(0, 256, (size, *DATASET.image_shape), np.uint8),
        'label': rng.integers(0, 4, size, np.int32),
    }


def train_step(task, devices, log_every=3, **keywords):
    fn = step.make_train_step(task, tx(), steps=100, log_every=log_every, **keywords)
    return parallel.data_parallel(fn, devices)


def run(task, count, steps=3, **keywords):
    """The host's copy of the state after some steps on `count` devices."""
    devices = parallel.choose_devices(count)
    current = state(task, devices)
    advance = train_step(task, devices, **keywords)
    key = parallel.place(jax.random.key(1), devices)
    for index in range(steps):
        current, _ = advance(current, parallel.shard(batch(seed=index), devices), key)
    return parallel.to_host(current)
