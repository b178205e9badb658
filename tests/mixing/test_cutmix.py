import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing.cutmix import cut_box, cutmix
from tests.mixing import coded

KEYS = jax.random.split(jax.random.key(2), 400)


def drawn(**keywords):
    return coded.many(functools.partial(cutmix, **keywords), KEYS, *coded.coordinates(8))


def test_the_frozen_vector_of_the_public_code():
    box = cut_box(jnp.array([30]), jnp.array([3]), jnp.array([0.5]), 32, 32)
    assert box.tolist() == [[19, 0, 32, 14]]  # cw = 22; own share 1 - 182 / 1024 = 0.822265625


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_label_weight_is_the_pasted_share_in_every_sample(per):
    images, labels = drawn(per=per, prob=1.0)
    source = images[..., 0] != np.arange(8)[:, None, None]
    lam = 1 - labels[:, np.arange(8), np.arange(8)]
    np.testing.assert_allclose(source.mean(axis=(2, 3)), lam, atol=1e-6)


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_the_box_is_the_same_in_source_and_target(per):
    images, _ = drawn(per=per, prob=1.0)
    y, x = np.meshgrid(np.arange(32), np.arange(32), indexing='ij')
    np.testing.assert_array_equal(images[..., 1], np.broadcast_to(y, images.shape[:-1]))
    np.testing.assert_array_equal(images[..., 2], np.broadcast_to(x, images.shape[:-1]))


def test_mean_source_share_at_32_pixels():
    # 0.299 with Beta(1, 1), clipped; measured where the partner is another image
    images, _ = drawn(per='sample', prob=1.0)
    share = (images[..., 0] != np.arange(8)[:, None, None]).mean(axis=(2, 3))
    # an image is its own partner with probability 1 / 8, and then shows no share
    assert share.mean() == pytest.approx(0.299 * 7 / 8, abs=6 * 0.27 / 3200**0.5)


@pytest.mark.parametrize(('per', 'prob'), [('batch', 0.5), ('sample', 0.5), ('sample', 0.0)])
@pytest.mark.slow
def test_prob_is_the_share_that_is_mixed(per, prob):
    images, labels = drawn(per=per, prob=prob)
    mixed = labels[:, np.arange(8), np.arange(8)] < 1
    draws = mixed.any(axis=1) if per == 'batch' else mixed
    # A box can have no area, and a partner be oneself, so slightly fewer than prob.
    expected = prob * (0.97 if per == 'batch' else 0.97 * 7 / 8)
    assert draws.mean() == pytest.approx(expected, abs=0.02 + 6 * (0.25 / draws.size) ** 0.5 * (prob > 0))


@pytest.mark.slow
def test_one_box_a_batch_or_one_an_image():
    for per, most in (('batch', 1), ('sample', 8)):
        images, _ = drawn(per=per, prob=1.0)
        masks = images[..., 0] != np.arange(8)[:, None, None]
        distinct = [len({m.tobytes() for m in batch if m.any()}) for batch in masks]
        assert max(distinct) <= most and (per == 'batch' or max(distinct) > 4)


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [({'prob': 1.5}, r'prob=1.5 must be in \[0, 1\]'), ({'alpha': 0.0}, 'alpha=0.0 must be > 0')],
)
def test_bad_numbers_are_refused(keywords, message, key):
    with pytest.raises(ValueError, match=message):
        cutmix(key, *coded.batch(2), **keywords)
