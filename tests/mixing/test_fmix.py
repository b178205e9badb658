"""The law of FMix: its two fields against NumPy's transform, its masks to the pixel."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing import fmix as module
from resizemix_jax.mixing.fmix import fmix
from tests.mixing import coded

BATCH, HEIGHT, WIDTH = 8, 16, 13
KEYS = jax.random.split(jax.random.key(5), 200)


@functools.cache
def drawn(**keywords):
    """The masks of 200 batches of 8 images, bool, and lam."""
    images, labels = coded.batch(BATCH, HEIGHT, WIDTH, 1)
    mixed, mixed_labels = coded.many(functools.partial(fmix, **keywords), KEYS, images, labels)
    own = np.arange(BATCH)
    others = np.where(np.eye(BATCH, dtype=bool), 0, mixed_labels).argmax(axis=2)
    assert ((mixed[..., 0] == own[:, None, None]) | (mixed[..., 0] == others[..., None, None])).all()
    return mixed[..., 0] != own[:, None, None], 1 - mixed_labels[:, own, own]


def cut(masks, lam):
    """The masks [..., H, W] and lam of those images that show a source and its target."""
    seen = masks.any(axis=(2, 3)) & ~masks.all(axis=(2, 3))
    return masks[seen], lam[seen]


def public_spectrum(rng, height, width, decay, spectrum):
    """The normal numbers, and the spectrum that the public code makes of them, in float64."""
    fx = np.abs(np.fft.fftfreq(width))[: width // 2 + 1 + width % 2]
    fy = np.fft.fftfreq(height)[:, None]
    scale = 1 / np.maximum(np.sqrt(fx**2 + fy**2), 1 / max(height, width)) ** decay
    normal = rng.normal(size=(height, len(fx), 2))
    scaled = scale[..., None] * normal
    if spectrum == 'textbook':
        made = (scaled[..., 0] + 1j * scaled[..., 1])[:, : width // 2 + 1]
        return np.moveaxis(normal[:, : width // 2 + 1], -1, 0), made
    full = np.zeros((height, width // 2 + 1), complex)
    rows = (scaled[0] + 1j * scaled[1])[:height]  # two rows of the plane, laid along its columns
    full[: len(rows), :2] = rows
    return normal[:2, :height], full


@pytest.mark.parametrize('size', [(32, 32), (16, 13), (5, 7), (4, 15), (9, 20), (3, 3)])
@pytest.mark.parametrize('spectrum', ['released', 'textbook'])
def test_fields_are_the_inverse_transform_of_their_spectra(spectrum, size):
    rng, decay = np.random.default_rng(0), 2.5
    made = [public_spectrum(rng, *size, decay, spectrum) for _ in range(2)]
    normal = np.stack([numbers for numbers, _ in made]).astype(np.float32)
    assert normal.shape[2:] == module.spectrum_shape(spectrum, *size)
    field = jax.jit(module.FIELDS[spectrum], static_argnums=(1, 2, 3))(normal, *size, decay)
    expected = np.stack([np.fft.irfft2(values, size) for _, values in made])
    if spectrum == 'released':
        expected = expected * size[0] * size[1]
    np.testing.assert_allclose(field, expected, atol=2e-6 * abs(expected).max())


def test_top_k_mask_has_exactly_count_pixels_and_ties_go_to_the_first():
    rng = np.random.default_rng(0)
    field = np.round(rng.normal(size=(40, 60)), 1).astype(np.float32)  # many are equal
    field[field == 0] = rng.choice([0.0, -0.0], (field == 0).sum())
    field[1], field[2] = np.inf, -7
    count = rng.integers(0, 61, 40)
    count[:3] = 0, 60, 23
    highest = np.asarray(jax.jit(module.top_k_mask)(field, count))
    order = np.argsort(-field, axis=1, kind='stable')
    expected = np.zeros_like(highest)
    for row, indices, n in zip(expected, order, count, strict=True):
        row[indices[:n]] = True
    np.testing.assert_array_equal(highest, expected)


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_the_mask_has_the_area_that_was_drawn_and_the_drawn_weight(per):
    masks, lam = cut(*drawn(per=per))
    pixels, wanted = masks.sum(axis=(1, 2)), lam * HEIGHT * WIDTH
    assert (abs(pixels - wanted) < 1 + 1e-3).all()
    up = pixels > wanted
    draws = len(KEYS) if per == 'batch' else len(up)
    assert abs(up.mean() - 0.5) < 5 * 0.5 / draws**0.5  # floor or ceiling, one as often as the other
    assert abs(lam.mean() - 0.5) < 5 * 0.29 / draws**0.5 and abs(lam.std() - 0.2887) < 0.03  # U(0, 1)


@pytest.mark.slow
def test_the_weight_can_be_the_share_of_the_mask():
    masks, lam = drawn(per='sample', weight='mask')
    other = masks.any(axis=(2, 3))
    np.testing.assert_allclose(lam[other], masks.mean(axis=(2, 3))[other], atol=1e-6)


@pytest.mark.slow
def test_lam_follows_alpha():
    _, lam = drawn(per='sample', alpha=8.0)
    assert lam[lam > 0].std() == pytest.approx((1 / (4 * 17)) ** 0.5, rel=0.1)


def test_one_mask_a_batch_or_one_an_image():
    for per, most in (('batch', 1), ('sample', BATCH)):
        masks, _ = drawn(per=per)
        distinct = [len({mask.tobytes() for mask in batch if mask.any()}) for batch in masks]
        assert max(distinct) <= most and (per == 'batch' or max(distinct) > 4)


def runs(masks):
    """How often a row of each mask changes from source to target and back, around the border, at most."""
    return (masks != np.roll(masks, 1, axis=2)).sum(axis=2).max(axis=1)


@pytest.mark.slow
def test_the_spectrum_shapes_the_mask():
    released, textbook, rough = (
        cut(*drawn(per='sample', **keywords))[0]
        for keywords in ({}, {'spectrum': 'textbook'}, {'spectrum': 'textbook', 'decay': 0.2})
    )
    assert runs(released).max() == 2  # one period along x
    assert 0.05 < (runs(textbook) > 2).mean() < 0.6
    assert (runs(rough) > 2).mean() > 0.9
    for masks in (released, textbook):  # no side and no corner is preferred
        share = masks.mean(axis=0) / masks.mean()
        assert abs(share - 1).max() < 0.3


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        ({'alpha': 0.0}, 'alpha=0.0 must be > 0'),
        ({'decay': -1}, r'decay=-1 must be in \(0, 10\]'),
        ({'spectrum': 'public'}, "spectrum='public' must be one of: released, textbook"),
        ({'weight': 'area'}, "weight='area' must be one of: drawn, mask"),
    ],
)
def test_bad_arguments_are_refused(keywords, message, key):
    with pytest.raises(ValueError, match=message):
        fmix(key, *coded.batch(2), **keywords)


def test_images_below_3_x_3_are_refused(key):
    with pytest.raises(ValueError, match='images of 8 x 2 pixels are too small for fmix'):
        fmix(key, jnp.zeros((2, 8, 2, 1)), jnp.eye(2))
