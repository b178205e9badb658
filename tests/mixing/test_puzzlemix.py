"""The law of PuzzleMix: its energy against an oracle in the terms of the public code, the target's mask."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing import puzzlemix as module
from resizemix_jax.mixing._grid import block_means
from resizemix_jax.mixing.puzzlemix import puzzlemix
from tests.mixing import coded
from tests.mixing.puzzle_energy import HEIGHT, NUMBERS, WIDTH, energies, problem

shares = jax.jit(module.source_share, static_argnames=('n_labels', 'neigh'))


@pytest.mark.parametrize(
    ('side', 'changed', 'lam0'),
    [
        (2, {}, 0.4),
        (2, {'beta': 4.0, 'gamma': 1.0, 'eta': 0.1}, 0.5),
        (2, {'n_labels': 4, 'gamma': 200.0}, 0.6),  # borders that would repel
        (2, {'beta': 6.0, 'gamma': 0.9, 'eta': 0.0}, 0.5),
        (4, {'n_labels': 2, 'neigh': 2, 'beta': 1.0, 'gamma': 1.0, 'eta': 0.05}, 0.4),
    ],
)
@pytest.mark.slow
def test_the_mask_has_the_least_energy(side, changed, lam0):
    numbers = NUMBERS | changed
    pixels, maps, partner = problem(side, 16 if side == 2 else 4)
    worth = np.asarray(block_means(jnp.asarray(maps), side))
    x = np.asarray(shares(pixels, worth, partner, lam0, **numbers))
    levels = np.linspace(0, 1, numbers['n_labels'])
    every = np.array(list(itertools.product(levels, repeat=side**2))).reshape(-1, side, side)
    for i, j in enumerate(partner):
        own = pixels[i].astype(float), pixels[j].astype(float), worth[i].astype(float), worth[j].astype(float)
        of = functools.partial(energies, lam=1 - lam0, side=side, **numbers)
        # Rounding errs by half a unit of 1 / (1000 b^2) for each block, and by as much for each border.
        assert of(1 - x[i : i + 1], *own)[0] <= of(every, *own).min() + 3 / 1000
    assert len(np.unique(x)) == numbers['n_labels']


def small(pixels, maps, lam0=0.5, **changed):
    worth = block_means(jnp.asarray(maps), 4)
    return np.asarray(shares(pixels, worth, jnp.array([1, 0, 3, 2]), lam0, **NUMBERS | changed))


@pytest.mark.slow
def test_each_image_is_visible_where_it_is_salient():
    maps = np.zeros((4, 8, 8), np.float32)
    maps[::2, :, :4] = maps[1::2, :, 4:] = 1
    x = small(np.zeros((4, 8, 8, 1), np.float32), maps)
    np.testing.assert_array_equal(x[::2], [[[0, 0, 1, 1]] * 4] * 2)
    np.testing.assert_array_equal(x[1::2], [[[1, 1, 0, 0]] * 4] * 2)


@pytest.mark.slow
def test_a_heavy_prior_gives_the_intended_share():
    flat = np.zeros((4, 8, 8, 1), np.float32), np.ones((4, 8, 8), np.float32)
    for lam0, x in ((0.0, 0), (0.3, 0), (0.36, 0.5), (0.64, 0.5), (0.7, 1), (1.0, 1)):
        np.testing.assert_array_equal(small(*flat, lam0, eta=50.0), x)


def test_non_finite_maps_still_give_a_share():
    pixels = np.zeros((4, 8, 8, 1), np.float32)
    pixels[0], pixels[1, ::3], pixels[2, :5] = np.nan, 1e30, np.inf
    maps = np.zeros((4, 8, 8), np.float32)
    maps[1], maps[2, 0, 0], maps[3, 0, 0] = np.nan, np.inf, 1e30
    worth = block_means(jnp.asarray(maps), 4)
    np.testing.assert_allclose(worth[:3], 1 / 16)
    assert float(worth[3, 0, 0]) == 1
    assert set(np.unique(small(pixels, maps))) <= {0, 0.5, 1}


def drawn(batches=60, size=4, shape=(HEIGHT, WIDTH), maps=None, **keywords):
    """Batches of images whose pixels name themselves, of random maps: images, labels and own shares."""
    images, labels = coded.coordinates(size, *shape)
    keys = jax.random.split(jax.random.key(5), batches)

    def one(key, images, labels):
        found = jax.random.uniform(jax.random.fold_in(key, 0), images.shape[:3])
        found = found**8 if maps is None else maps
        return puzzlemix(jax.random.fold_in(key, 1), images, labels, saliency=found, std=1 / 16, **keywords)

    return coded.many(one, keys, images, labels)


@pytest.fixture
def no_cut(monkeypatch):
    """Every block for itself: for laws that do not hang on the cut, whose compilation takes time."""
    monkeypatch.setattr(
        module.min_cut, 'cheapest_labels', lambda steps, down, right: jnp.sum(steps < 0, axis=0)
    )


@pytest.mark.slow
def test_without_transport_blocks_stay_and_the_label_is_their_share():
    images, labels = drawn(n_labels=2, transport=False, blocks=(4,))
    y, x = np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing='ij')
    np.testing.assert_array_equal(images[..., 1], np.broadcast_to(y, images.shape[:-1]))
    np.testing.assert_array_equal(images[..., 2], np.broadcast_to(x, images.shape[:-1]))
    kinds = set()
    for batch, weights in zip(images[..., 0], labels, strict=True):
        for i in range(4):
            found, counts = np.unique(batch[i], return_counts=True)
            np.testing.assert_allclose(weights[i, found.astype(int)], counts / (HEIGHT * WIDTH), atol=1e-6)
            kinds.add(len(found))
        blocks = batch.reshape(4, 4, HEIGHT // 4, 4, WIDTH // 4)
        assert (blocks == blocks[:, :, :1, :, :1]).all()
    assert kinds == {1, 2}


@pytest.mark.slow
def test_the_batch_draws_one_share_and_one_permutation(no_cut):
    """With a heavy prior and flat maps x is the mode of the binomial law, the same in all blocks."""
    _, labels = drawn(300, shape=(8, 8), eta=100.0, transport=False, maps=jnp.ones((4, 8, 8)))
    lam = 1 - labels[:, np.arange(4), np.arange(4)]
    mixed = lam[(lam > 0).any(axis=1)]
    assert all(len(np.unique(row[row > 0])) == 1 for row in mixed)  # but for an image that is its own partner
    assert set(np.unique(mixed)) == {0, 0.5, 1}
    # The mode of Binomial(2, lam0), lam0 ~ U(0, 1): each a third; an image is its own partner one time in 4.
    for value in (0.5, 1):
        assert np.mean(lam == value) == pytest.approx(1 / 4, abs=6 * (0.25 / 300) ** 0.5)


@pytest.mark.slow
def test_alpha_shapes_the_share(no_cut):
    """For alpha < 1 the shares that are aimed at crowd at the ends, so fewer blocks are half and half."""
    _, labels = drawn(200, size=2, shape=(4, 4), eta=100.0, alpha=0.3, transport=False, blocks=(2,),
                      maps=jnp.ones((2, 4, 4)))  # fmt: skip
    lam = 1 - labels[:, 0, 0]
    # P(1/3 < Beta(0.3, 0.3) < 2/3) = 0.150, and half of the images are their own partners.
    chances = {0.5: 0.150 / 2, 1: 0.425 / 2}
    for value, chance in chances.items():
        assert np.mean(lam == value) == pytest.approx(chance, abs=5 * (chance / 200) ** 0.5)


@pytest.mark.slow
def test_all_fitting_grids_are_equally_likely(no_cut):
    """Two neighbouring pixels of unlike images are where blocks end; the maps differ from pixel to pixel."""
    images, _ = drawn(300, shape=(16, 16), n_labels=2, transport=False, beta=0.0, eta=0.0)
    finest = np.zeros(len(images), int)
    for i, batch in enumerate(images[..., 0]):
        finest[i] = next(b for b in (2, 4, 8, 16) if is_blocks(batch, b))
    counts = np.bincount(finest, minlength=17)[[2, 4, 8, 16]]
    # Two blocks of four cells look like one now and then, and a batch may be its own partner (1 / 24).
    assert (abs(counts - 300 / 4) < 6 * (300 * 3 / 16) ** 0.5).all() and counts.sum() == 300


def is_blocks(batch, side):
    blocks = batch.reshape(len(batch), side, 16 // side, side, 16 // side)
    return (blocks == blocks[:, :, :1, :, :1]).all()


@pytest.mark.parametrize(('t_size', 'parts'), [(-1, 1), (4, 2)])
@pytest.mark.slow
def test_transport_moves_whole_parts_of_blocks_within_their_image(t_size, parts, no_cut):
    images, labels = drawn(20, shape=(16, 16), n_labels=2, t_size=t_size, t_eps=0.001, blocks=(2,))
    side = 2 * parts
    cell = 16 // side
    moved = 0
    for batch, weights in zip(images, labels, strict=True):
        for i, image in enumerate(batch):
            cells = image.reshape(side, cell, side, cell, 3).swapaxes(1, 2)
            assert (cells[..., 0] == cells[:, :, :1, :1, 0]).all()
            offset = cells[:, :, 0, 0, 1:] % cell
            assert (offset == 0).all()
            inner = cells[..., 1:] - cells[:, :, :1, :1, 1:]
            y, x = np.meshgrid(np.arange(cell), np.arange(cell), indexing='ij')
            np.testing.assert_array_equal(inner, np.broadcast_to(np.stack([y, x], -1), inner.shape))
            at = cells[:, :, 0, 0, 1:] / cell
            moved += (at != np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing='ij'), -1)).any()
            found, counts = np.unique(image[..., 0], return_counts=True)
            np.testing.assert_allclose(weights[i, found.astype(int)], counts / 256, atol=1e-6)
    assert moved > 5


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        ({'saliency': None}, r"needs saliency, float \[2, 12, 16\]; got None.*saliency='input_gradient'"),
        ({'saliency': jnp.zeros((2, 4, 4))}, r'got float32\[2, 4, 4\]'),
        ({'alpha': 0.0}, 'alpha=0.0 must be > 0'),
        ({'beta': -1.0}, 'beta=-1.0 must be >= 0'),
        ({'t_eps': float('nan')}, 't_eps=nan must be a finite number >= 0'),
        ({'n_labels': 1}, 'n_labels=1 must be from 2 to 9'),
        ({'neigh': 0}, 'neigh=0 must be >= 1'),
        ({'std': (0.2, 0.3)}, 'one for each of the 3 channels'),
        ({'blocks': (2, 32)}, r'blocks=\(2, 32\) must be a tuple .* each a whole number from 2 to 16'),
        ({'blocks': (5, 8)}, 'images of 12 x 16 pixels cannot be cut .* add a number that divides both'),
        ({'t_size': 0}, 't_size=0 must be >= 1, or -1'),
        ({'blocks': (4,), 't_size': 1}, None),
    ],
)
@pytest.mark.slow
def test_bad_input_is_refused(keywords, message, key):
    shape = keywords.get('shape', (12, 16))
    images, labels = coded.coordinates(2, *shape)
    keywords = {'saliency': jnp.ones((2, *shape))} | {k: v for k, v in keywords.items() if k != 'shape'}
    run = functools.partial(jax.eval_shape, functools.partial(puzzlemix, **keywords), key, images, labels)
    if message is None:
        assert run()[0].shape == images.shape
    else:
        with pytest.raises(ValueError, match=message):
            run()
