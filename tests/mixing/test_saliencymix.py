"""The law of SaliencyMix, by maps with one peak and images whose pixels name themselves."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing.cutmix import cut_box
from resizemix_jax.mixing.saliencymix import saliencymix
from tests.mixing import coded

BATCH, HEIGHT, WIDTH = 8, 16, 13
KEYS = jax.random.split(jax.random.key(9), 200)
PEAKS = [(0, 5), (3, 12), (15, 0), (8, 6), (4, 4), (11, 9), (1, 1), (14, 12)]


def maps():
    """The peak of image i is at PEAKS[i]; image 0 has an equal one further down and to the left."""
    made = np.random.default_rng(0).uniform(0, 0.9, (BATCH, HEIGHT, WIDTH)).astype(np.float32)
    for i, peak in enumerate(PEAKS):
        made[i][peak] = 1
    made[0, 9, 1] = 1
    return jnp.asarray(made)


@functools.cache
def drawn(per, prob=1.0):
    images, labels = coded.coordinates(BATCH, HEIGHT, WIDTH)
    return coded.many(
        functools.partial(saliencymix, per=per, prob=prob, saliency=maps()), KEYS, images, labels
    )


@functools.cache
def boxes_around(image):
    """CutMix's boxes for every lam0 around the peak of an image."""
    y, x = PEAKS[image]
    lam0 = jnp.linspace(0, 1, 4001)
    return {tuple(box) for box in np.asarray(cut_box(jnp.array(y), jnp.array(x), lam0, HEIGHT, WIDTH))}


def partners(labels):
    """The other image of each row of labels; itself where there is none."""
    others = np.where(np.eye(BATCH, dtype=bool), 0, labels)
    return np.where(others.max(axis=-1) > 0, others.argmax(axis=-1), np.arange(BATCH))


def box_of(mask):
    ys, xs = np.nonzero(mask)
    box = ys.min(), xs.min(), ys.max() + 1, xs.max() + 1
    assert mask[box[0] : box[2], box[1] : box[3]].all()
    return tuple(int(side) for side in box)


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_pixels_stay_in_place_and_weigh_what_they_cover(per):
    images, labels = drawn(per)
    source = images[..., 0] != np.arange(BATCH)[:, None, None]
    np.testing.assert_allclose(
        source.mean(axis=(2, 3)), 1 - labels[:, np.arange(BATCH), np.arange(BATCH)], atol=1e-6
    )
    y, x = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing='ij')
    np.testing.assert_array_equal(
        images[..., 1:], np.broadcast_to(np.stack([y, x], -1), images[..., 1:].shape)
    )


def test_one_box_per_batch_is_centred_on_the_peak_of_the_first_partner():
    peaks = set()
    for images, labels in zip(*drawn('batch'), strict=True):
        masks = images[..., 0] != np.arange(BATCH)[:, None, None]
        boxes = {box_of(mask) for mask in masks if mask.any()}
        assert len(boxes) <= 1
        first = int(partners(labels)[0])
        assert boxes <= boxes_around(first)
        peaks.add(first)
    assert peaks == set(range(BATCH))


def test_each_box_is_centred_on_the_peak_of_the_partner():
    sizes = set()
    for images, labels in zip(*drawn('sample'), strict=True):
        for i, partner in enumerate(partners(labels)):
            mask = images[i, ..., 0] != i
            if mask.any():
                assert (images[i, ..., 0][mask] == partner).all()
                assert box_of(mask) in boxes_around(int(partner))
                sizes.add(int(mask.sum()))
    assert len(sizes) > 30  # lam0 is an image's own


@pytest.mark.slow
def test_lam0_follows_alpha_and_the_box_is_clipped(key):
    middle = jnp.zeros((BATCH, 41, 41)).at[:, 20, 20].set(1)
    images, labels = coded.batch(BATCH, 41, 41, 1)
    lam = {}
    for alpha in (1.0, 8.0):
        cut = functools.partial(saliencymix, per='sample', prob=1.0, alpha=alpha, saliency=middle)
        mixed = coded.many(cut, KEYS, images, labels)[1]
        shares = 1 - mixed[:, np.arange(BATCH), np.arange(BATCH)]
        lam[alpha] = shares[shares > 0]
    # In the middle nothing is clipped: lam is lam0 but for truncated sides.
    assert lam[1.0].mean() == pytest.approx(0.5, abs=0.05) and lam[1.0].std() == pytest.approx(0.29, abs=0.03)
    assert lam[8.0].std() == pytest.approx((1 / (4 * 17)) ** 0.5, abs=0.02)


@pytest.mark.parametrize(('per', 'prob'), [('batch', 0.5), ('sample', 0.5), ('sample', 0.0)])
@pytest.mark.slow
def test_prob_is_the_share_that_is_mixed(per, prob):
    mixed = drawn(per, prob)[1][:, np.arange(BATCH), np.arange(BATCH)] < 1
    draws = mixed.any(axis=1) if per == 'batch' else mixed
    expected = prob * (0.96 if per == 'batch' else 0.96 * 7 / 8)  # boxes without area, own partners
    assert draws.mean() == pytest.approx(expected, abs=0.03 * (prob > 0) + 5 * (prob / 4 / draws.size) ** 0.5)
    if per == 'sample' and prob:
        assert len(np.unique(mixed.sum(axis=1))) > 4


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        ({}, r"saliencymix needs saliency, float \[8, 16, 13\]; got None.*saliency='fine_grained'"),
        ({'saliency': jnp.zeros((8, 4, 4))}, r'got float32\[8, 4, 4\]'),
        ({'prob': -0.1}, r'prob=-0.1 must be in \[0, 1\]'),
        ({'alpha': 0.0}, 'alpha=0.0 must be > 0'),
    ],
)
def test_bad_input_is_refused(keywords, message, key):
    with pytest.raises(ValueError, match=message):
        saliencymix(key, *coded.coordinates(BATCH, HEIGHT, WIDTH), **keywords)
