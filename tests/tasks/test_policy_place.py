"""Where in the training step a policy stands, and what it is told."""

import jax
import numpy as np
import pytest

from resizemix_jax.datasets.fake import fake
from resizemix_jax.normalize import denormalize
from resizemix_jax.tasks.classify import classify
from tests.tasks.method import config

pytestmark = pytest.mark.slow

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
