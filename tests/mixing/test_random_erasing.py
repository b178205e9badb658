"""The law of Random Erasing, against the published loop in NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing.random_erasing import random_erasing, sides
from tests.mixing import coded

KEYS = jax.random.split(jax.random.key(6), 300)
BATCH = 8


@functools.cache
def drawn(height=32, width=32, **keywords):
    """The boxes (y0, x0, y1, x1) of 300 batches of 8 images, int [2400, 4], all 0 where nothing is erased."""
    images, labels = jnp.zeros((BATCH, height, width, 1)), jnp.eye(BATCH)
    erase = functools.partial(random_erasing, fill=1.0, **keywords)
    mixed, mixed_labels = coded.many(erase, KEYS, images, labels)
    np.testing.assert_array_equal(mixed_labels, np.broadcast_to(labels, mixed_labels.shape))
    holes = mixed[..., 0].reshape(-1, height, width) == 1
    boxes = np.zeros((len(holes), 4), int)
    for axis, side in ((0, height), (1, width)):
        line = holes.any(axis=2 - axis)
        boxes[:, axis] = line.argmax(axis=1)
        boxes[:, 2 + axis] = np.where(line.any(axis=1), side - line[:, ::-1].argmax(axis=1), 0)
    size = boxes[:, 2:] - boxes[:, :2]
    np.testing.assert_array_equal(holes.sum(axis=(1, 2)), size.prod(axis=1))  # a full rectangle
    return boxes


def published(height, width, count, area=(0.02, 0.4), ratio=0.3, aspect='uniform', attempts=100):
    """The sides of `count` rectangles by the published loop; (0, 0) where it gives up."""
    rng = np.random.default_rng(0)
    made = np.zeros((count, 2), int)
    for row in made:
        for _ in range(attempts):
            pixels = rng.uniform(*area) * height * width
            if aspect == 'uniform':
                r = rng.uniform(ratio, 1 / ratio)
            else:
                r = np.exp(rng.uniform(np.log(ratio), np.log(1 / ratio)))
            h, w = round((pixels * r) ** 0.5), round((pixels / r) ** 0.5)
            if h < height and w < width:
                row[:] = h, w
                break
    return made


def test_the_frozen_vector():
    assert [int(side) for side in sides(0.2 * 1024, 0.5)] == [10, 20]


@pytest.mark.parametrize(
    ('height', 'width', 'keywords'),
    [
        (32, 32, {}),
        (32, 32, {'aspect': 'log_uniform', 'area': (0.02, 1 / 3)}),
        (9, 40, {'area': (0.2, 0.9)}),  # most attempts do not fit
        (9, 40, {'area': (0.2, 0.9), 'attempts': 1}),
    ],
)
@pytest.mark.slow
def test_sizes_follow_the_published_loop(height, width, keywords):
    boxes = drawn(height, width, prob=1.0, **keywords)
    size = boxes[:, 2:] - boxes[:, :2]
    expected = published(height, width, 4000, **keywords)
    given_up = (expected == 0).all(axis=1).mean()
    assert (size == 0).all(axis=1).mean() == pytest.approx(given_up, abs=6 * (given_up / 2400) ** 0.5)
    assert (given_up > 0.3) == (keywords.get('attempts') == 1)
    for axis, side in ((0, height), (1, width)):
        assert size[:, axis].max() < side
        ours, theirs = (np.bincount(s[:, axis], minlength=side).cumsum() / len(s) for s in (size, expected))
        assert abs(ours - theirs).max() < 2 * (1 / 2400 + 1 / 4000) ** 0.5  # Kolmogorov-Smirnov, p = 7e-4


@pytest.mark.slow
def test_places_are_uniform_and_reach_all_borders():
    boxes = drawn(prob=1.0)
    room = 32 - (boxes[:, 2:] - boxes[:, :2])
    assert boxes.min() == 0 and boxes.max() == 32
    for axis in (0, 1):
        at, most = boxes[:, axis], room[:, axis]
        place = (at + 0.5) / (most + 1)  # uniform on (0, 1) but for its grid
        assert abs(place.mean() - 0.5) < 6 * 0.29 / 2400**0.5 and abs(place.std() - 0.28) < 0.02
        for border in (at == 0, at == most):
            expected = (1 / (most + 1)).mean()
            assert abs(border.mean() - expected) < 6 * (expected / 2400) ** 0.5
    assert abs(np.corrcoef(boxes[:, 0], boxes[:, 1])[0, 1]) < 0.1


@pytest.mark.parametrize('prob', [0.0, 0.5])
@pytest.mark.slow
def test_prob_is_the_erased_share_and_draws_are_independent(prob):
    boxes = drawn(prob=prob) if prob != 0.5 else drawn()  # the default
    erased = (boxes[:, 2] > 0).reshape(-1, BATCH)
    assert abs(erased.mean() - prob) <= 6 * (prob / 4 / erased.size) ** 0.5
    if prob:
        assert (erased.sum(axis=1) % BATCH).any() and len(np.unique(boxes, axis=0)) > 1000


@pytest.mark.parametrize(
    ('channels', 'fill', 'shown'),
    [
        (3, (0.4914, 0.4822, 0.4465), (0.4914, 0.4822, 0.4465)),
        (1, (0.4914, 0.4822, 0.4465), (0.4914,)),
        (2, 0.25, (0.25, 0.25)),
    ],
)
@pytest.mark.slow
def test_the_fill_is_written_unchanged(channels, fill, shown, key):
    images = jnp.full((BATCH, 12, 10, channels), 7, jnp.bfloat16)
    mixed, _ = random_erasing(key, images, jnp.eye(BATCH), prob=1.0, fill=fill)
    colours = np.unique(np.asarray(mixed, np.float32).reshape(-1, channels), axis=0)
    expected = jnp.asarray([shown, (7,) * channels], jnp.bfloat16).astype(jnp.float32)
    assert mixed.dtype == jnp.bfloat16
    np.testing.assert_array_equal(colours, expected)


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        ({'prob': 1.5}, r'prob=1.5 must be in \[0, 1\]'),
        ({'area': (0.0, 0.4)}, r'area=\(0.0, 0.4\) must be \(low, high\) with 0 < low <= high <= 1'),
        ({'area': (0.4, 0.2)}, 'with 0 < low'),
        ({'ratio': 3.3}, r'ratio=3.3 must be in \[0.001, 1\]'),
        ({'aspect': 'log'}, "aspect='log' must be one of: uniform, log_uniform"),
        ({'attempts': 0}, 'attempts=0 must be >= 1'),
        ({'fill': (0.1, 0.2)}, r'fill=\(0.1, 0.2\) must be a tuple of 3 values'),
    ],
)
def test_bad_arguments_are_refused(keywords, message, key):
    with pytest.raises(ValueError, match=message):
        random_erasing(key, *coded.batch(2), **keywords)
