"""The law of PBA: how many operations, and which segment of the schedule."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment.pba import pba, segment_at
from tests.augment.policy_file import write


@pytest.mark.slow
def test_pba_draws_none_one_or_two_operations(tmp_path, key):
    # A grey tells what was done to it; what never happens does not count.
    happens = [['Posterize', 1.0, 9]] * 10 + [['Invert', 1.0, 0]] * 10  # keeps 1 bit; 255 - v
    rows = [happens + [['Brightness', 0.0, 0]] * 10, [['Brightness', 0.0, 0]] * 30]
    path = write(tmp_path, rows, kind='schedule', segments_epochs=[3, 1], total_epochs=4)
    images = jnp.full((8000, 2, 2, 1), 100, jnp.uint8)
    jitted = jax.jit(functools.partial(pba, policy=path))
    out = np.asarray(jitted(key, images, progress=0.7))[:, 0, 0, 0]
    values, counts = np.unique(out, return_counts=True)
    # none: 100; one: 0 or 155; two, without replacement of 20: PP 0, PI 255, IP 128, II 100
    p, q = 9 / 19, 10 / 19
    expected = 8000 * np.array([0.15 + 0.25 * p, 0.2 + 0.25 * p, 0.25 * q, 0.15, 0.25 * q])
    assert values.tolist() == [0, 100, 128, 155, 255]
    assert (abs(counts - expected) < 6 * expected**0.5).all()
    assert (np.asarray(jitted(key, images, progress=0.8)) == 100).all()  # the last segment, of chances 0
    with pytest.raises(ValueError, match="policy='dada_cifar10' is not a schedule over epochs"):
        pba(key, images, policy='dada_cifar10')


@pytest.mark.parametrize('steps_per_epoch', [97, 195, 390, 391])
@pytest.mark.parametrize('policy', ['pba_cifar10', 'pba_svhn'])
def test_a_segment_begins_with_the_first_step_of_its_epoch(policy, steps_per_epoch):
    content = policies.read_policy(policy)
    ends = np.cumsum(content['segments_epochs'])
    for times in (1, 9):  # the schedule itself, and stretched to nine times its length
        steps = times * content['total_epochs'] * steps_per_epoch
        first = ends[:-1] * times * steps_per_epoch
        at = np.sort(np.concatenate([first - 1, first, first + 1])).astype(np.int32)
        # The share of the training, rounded as compilers do it: a quotient, or a product with 1 / steps.
        for progress in (at / np.float32(steps), at * (1 / np.float32(steps))):
            found = segment_at(content, jnp.asarray(progress, jnp.float32))
            np.testing.assert_array_equal(found, np.searchsorted(first, at, side='right'))


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        (dict(segments_epochs=[3], total_epochs=4), 'segments_epochs=.* must be a tuple of 2 values'),
        (dict(segments_epochs=[3, 0], total_epochs=4), 'segments_epochs=.* must be'),
        (dict(segments_epochs=[3, 1], total_epochs='x'), "total_epochs='x' must be a finite number"),
        (dict(segments_epochs=[3, 1]), 'is not a schedule over epochs'),
    ],
)
def test_a_damaged_schedule_is_refused(fields, message, tmp_path, key):
    path = write(tmp_path, [[['Invert', 1.0, 0]], [['Invert', 1.0, 0]]], kind='schedule', **fields)
    with pytest.raises(ValueError, match=message):
        pba(key, np.zeros((1, 8, 8, 3), np.uint8), policy=path)
