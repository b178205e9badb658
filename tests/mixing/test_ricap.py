"""The law of RICAP, by images whose pixels name themselves."""

import functools

import jax
import numpy as np
import pytest

from resizemix_jax.mixing.ricap import ricap
from tests.mixing import coded

BATCH, HEIGHT, WIDTH = 8, 16, 13
KEYS = jax.random.split(jax.random.key(8), 300)


@functools.cache
def drawn(per='batch', beta=0.3):
    images, labels = coded.coordinates(BATCH, HEIGHT, WIDTH)
    return coded.many(functools.partial(ricap, per=per, beta=beta), KEYS, images, labels)


def corner(images):
    """Where the cells of images [N, H, W, 3] meet; a cell has one source and one offset."""
    y, x = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing='ij')
    cell = images - np.stack([0 * y, y, x], axis=-1)
    meet = []
    for axis in (1, 2):
        change = np.nonzero((np.diff(cell, axis=axis) != 0).any(axis=(0, 3 - axis, 3)))[0]
        assert len(change) <= 1
        meet.append(int(change[0]) + 1 if len(change) else 0)
    return tuple(meet)


@functools.cache
def corners(per='batch', beta=0.3):
    """(h, w) of every batch, or of every image; 0 where the cells of a side have no area."""
    images = drawn(per, beta)[0]
    groups = images if per == 'batch' else images.reshape(-1, 1, HEIGHT, WIDTH, 3)
    return np.array([corner(group) for group in groups])


def whole(meet):
    """Corners inside the image, where all four cells show."""
    return (meet > 0).all(axis=1)


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_labels_are_the_shares_of_the_pixels(per):
    images, labels = drawn(per)
    shares = (images[..., :1].reshape(*labels.shape[:2], -1, 1) == np.arange(BATCH)).mean(axis=2)
    np.testing.assert_allclose(labels, shares, atol=1e-6)
    assert len(corners(per))  # and there are four cells, or fewer


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_corners_are_rounded_and_follow_beta(per):
    meet = corners(per)
    rng = np.random.default_rng(0)
    for axis, side in ((0, HEIGHT), (1, WIDTH)):
        expected = np.bincount(np.round(side * rng.beta(0.3, 0.3, 100_000)).astype(int), minlength=side + 1)
        expected = expected / 100_000
        seen = np.bincount(meet[:, axis], minlength=side) / len(meet)
        # A corner at the border cannot be seen at which; two cells can also fit by chance, once in a while.
        expected = np.append(expected[0] + expected[-1], expected[1:-1])
        slack = 0.02 if per == 'sample' else 0
        assert abs(seen - expected).max() < 5 * 0.5 / len(meet) ** 0.5 + slack
    inner = meet[whole(meet)]
    assert abs(np.corrcoef(inner.T)[0, 1]) < 5 / len(inner) ** 0.5


@pytest.mark.slow
def test_another_beta_is_another_law():
    meet = corners(beta=5.0)
    assert whole(meet).mean() > 0.98 and abs(meet[:, 0] / HEIGHT - 0.5).std() < 0.2
    assert meet[:, 0].std() / HEIGHT == pytest.approx((1 / (4 * 11)) ** 0.5, rel=0.2)


def cells(per='batch'):
    """Every cell of the batches whose corner can be seen: its images and its place, (y0, x0, y1, x1)."""
    for images, (h, w) in zip(drawn(per, 5.0)[0], corners(per, 5.0), strict=True):
        if h and w:
            for y0, y1 in ((0, h), (h, HEIGHT)):
                for x0, x1 in ((0, w), (w, WIDTH)):
                    yield images[:, y0:y1, x0:x1], (y0, x0, y1, x1)


def test_each_cell_has_its_own_partners_and_crop():
    partners, places = [], []
    for cell, (y0, x0, y1, x1) in cells():
        first = cell[:, 0, 0]
        y, x = np.meshgrid(np.arange(y1 - y0), np.arange(x1 - x0), indexing='ij')
        offset = np.stack([0 * y, y, x], axis=-1)
        np.testing.assert_array_equal(cell, first[:, None, None] + offset)  # one crop, in its own size
        assert sorted(first[:, 0]) == list(range(BATCH))  # a permutation
        assert (first[:, 1:] == first[0, 1:]).all()  # one crop a batch
        partners.append(first[:, 0])
        room = np.array([HEIGHT - (y1 - y0), WIDTH - (x1 - x0)])
        places.append(((first[0, 1:] + 0.5) / (room + 1), first[0, 1:] == 0, first[0, 1:] == room, room))
    place, low, high, room = (np.array(column) for column in zip(*places, strict=True))
    assert abs(place.mean(axis=0) - 0.5).max() < 5 * 0.29 / len(place) ** 0.5
    assert abs(place.std(axis=0) - 0.28).max() < 0.03
    for border in (low, high):
        assert abs(border.mean(axis=0) - (1 / (room + 1)).mean(axis=0)).max() < 5 * (0.15 / len(place)) ** 0.5
    same = np.array(partners).reshape(-1, 4, BATCH)
    fixed = (same == np.arange(BATCH)).mean(axis=(0, 2))  # no cell is the image itself
    equal = (same[:, :1] == same[:, 1:]).mean(axis=(0, 2))  # nor the partners of another
    assert abs(fixed - 1 / 8).max() < 0.05 and abs(equal - 1 / 8).max() < 0.05


@pytest.mark.slow
def test_corners_and_crops_are_independent_per_image():
    meet = corners('sample', 5.0).reshape(-1, BATCH, 2)
    assert min(len(np.unique(batch, axis=0)) for batch in meet) > 3
    starts = drawn('sample', 5.0)[0][:, :, 0, 0, 1:]
    assert min(len(np.unique(batch, axis=0)) for batch in starts) > 3


@pytest.mark.slow
def test_bad_beta_is_refused(key):
    with pytest.raises(ValueError, match='beta=0 must be > 0'):
        ricap(key, *coded.batch(2), beta=0)
