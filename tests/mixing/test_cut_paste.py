"""The law of cut and paste, by images whose pixels name themselves."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing import cut_paste as module
from resizemix_jax.mixing.cut_paste import cut_paste
from tests.mixing import coded

BATCH, HEIGHT, WIDTH = 8, 16, 13
KEYS = jax.random.split(jax.random.key(3), 100)


def saliency_maps(kind='peak'):
    """'peak': the highest pixel of image i is (i + 3, i), its two lowest (0, i) and (1, 12)."""
    maps = np.full((BATCH, HEIGHT, WIDTH), 0.5, np.float32)
    if kind == 'peak':
        for i in range(BATCH):
            maps[i, i + 3, i] = 1
            maps[i, 0, i] = maps[i, 1, 12] = 0
    return jnp.asarray(maps)


@functools.cache
def drawn(source='random', paste='random', size='tau', per='batch', maps='peak'):
    """100 batches of 8 images: the boxes cut and pasted, the partners and lam, -1 where nothing moved."""
    images, labels = coded.coordinates(BATCH, HEIGHT, WIDTH)
    function = functools.partial(
        cut_paste, source=source, paste=paste, size=size, per=per, saliency=saliency_maps(maps)
    )
    mixed, mixed_labels = coded.many(function, KEYS, images, labels)
    rows = []
    for image_batch, label_batch in zip(mixed, mixed_labels, strict=True):
        for i, (image, label) in enumerate(zip(image_batch, label_batch, strict=True)):
            moved = image[..., 0] != i
            if moved.any():
                rows.append(read(image, moved, i, label))
    return rows


def read(image, moved, target, label):
    """What one mixed image shows, and the checks that hold for every draw."""
    ys, xs = np.nonzero(moved)
    y0, x0, y1, x1 = ys.min(), xs.min(), ys.max() + 1, xs.max() + 1
    assert moved[y0:y1, x0:x1].all()  # one full box
    patch = image[y0:y1, x0:x1]
    source = int(patch[0, 0, 0])
    sy, sx = patch[0, 0, 1:].astype(int)
    i, y, x = np.meshgrid([source], np.arange(sy, sy + y1 - y0), np.arange(sx, sx + x1 - x0), indexing='ij')
    np.testing.assert_array_equal(patch, np.stack([i, y, x], -1)[0])  # unscaled, contiguous, of one image
    kept = image[~moved]
    assert (kept[:, 0] == target).all()
    lam = (y1 - y0) * (x1 - x0) / (HEIGHT * WIDTH)
    assert label[source] == pytest.approx(lam, abs=1e-6)
    assert label[target] == pytest.approx(1 - lam, abs=1e-6)
    return dict(target=target, source=source, pasted=(y0, x0), cut=(sy, sx), side=(y1 - y0, x1 - x0))


def start(centre, side):
    """Eq. 12-14 with the width kept, for one axis each."""
    return tuple(
        min(max(c - s // 2, 0), whole - s) for c, s, whole in zip(centre, side, (HEIGHT, WIDTH), strict=True)
    )


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_sizes_and_places_of_the_random_law(per):
    rows = drawn(per=per)
    sides = {row['side'] for row in rows}
    assert {s[0] for s in sides} == set(range(1, 13)) and {s[1] for s in sides} == set(range(1, 11))
    # Cut and pasted at independent places: all pairs of halves are equally likely.
    small = [row for row in rows if row['side'][0] <= 6]
    halves = np.array([(row['cut'][0] < 5, row['pasted'][0] < 5) for row in small])
    correlation = np.corrcoef(halves.T)[0, 1]
    assert abs(correlation) < 5 / len(small) ** 0.5


@pytest.mark.slow
def test_one_size_a_batch_or_one_an_image():
    images, labels = coded.batch(BATCH, 32, 32, 1)
    for per, most in (('batch', 1), ('sample', BATCH)):
        function = functools.partial(cut_paste, per=per)
        _, mixed = coded.many(function, KEYS, images, labels)
        lam = np.where(np.eye(BATCH, dtype=bool), 0, mixed).max(-1)
        distinct = [len(np.unique(row[row > 0])) for row in lam]
        assert max(distinct) <= most and (per == 'batch' or max(distinct) > 4)


@pytest.mark.slow
def test_corresponding_pastes_where_it_cut():
    assert all(row['pasted'] == row['cut'] for row in drawn(paste='corresponding'))


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_salient_regions_are_centred_on_the_highest_pixel(per):
    for row in drawn(source='salient', per=per):
        assert row['cut'] == start((row['source'] + 3, row['source']), row['side'])
    for row in drawn(paste='salient', per=per):
        assert row['pasted'] == start((row['target'] + 3, row['target']), row['side'])


@pytest.mark.slow
def test_non_salient_regions_are_centred_on_the_lowest_pixels():
    for region_of, image in (('cut', 'source'), ('pasted', 'target')):
        name = {'cut': 'source', 'pasted': 'paste'}[region_of]
        rows = drawn(**{name: 'non_salient'})
        first = 0
        for row in rows:
            ends = [start((0, row[image]), row['side']), start((1, 12), row['side'])]
            assert row[region_of] in ends
            first += row[region_of] == ends[0] != ends[1]
        told_apart = sum(start((0, row[image]), row['side']) != start((1, 12), row['side']) for row in rows)
        assert abs(first / told_apart - 0.5) < 5 * 0.5 / told_apart**0.5


@pytest.mark.slow
def test_a_flat_map_has_every_pixel_in_both_sets(key):
    flat = jnp.zeros((60_000, 4, 5))
    for area in (flat >= flat.max(axis=(1, 2), keepdims=True), flat <= flat.min(axis=(1, 2), keepdims=True)):
        y, x = region.draw_centres_in(key, area)
        counts = np.histogram2d(np.asarray(y), np.asarray(x), [np.arange(5), np.arange(6)])[0]
        assert abs(counts - 3000).max() < 6 * 3000**0.5
    rows = drawn(source='salient', paste='non_salient', maps='flat')
    assert len({row['cut'] for row in rows}) > 40 and len({row['pasted'] for row in rows}) > 40


def test_an_odd_width_is_the_same_inside_and_at_the_border():
    # As printed, x_l = ceil(xc - 5 / 2), x_r = floor(xc + 5 / 2) is 4 wide inside and 5 at the border.
    boxes = region.shifted_box(jnp.arange(16), jnp.arange(16), (5, 5), 16, 16)
    assert {int(side) for side in boxes[:, 2] - boxes[:, 0]} == {5}
    assert boxes[8].tolist() == [6, 6, 11, 11] and boxes[1].tolist() == [0, 0, 5, 5]


@pytest.mark.slow
def test_the_size_of_cutmix(key):
    scale = module.draw_side(key, 'beta', (0.1, 0.8), 1.0, 100_000)
    assert float((scale**2).mean()) == pytest.approx(0.5, abs=0.005)  # lam0 ~ U(0, 1), before rounding
    sides = {row['side'] for row in drawn(size='beta', per='sample')}
    assert {s[0] for s in sides} == set(range(1, HEIGHT)) and max(s[1] for s in sides) == WIDTH - 1
    narrow = module.draw_side(key, 'beta', (0.1, 0.8), 8.0, 100_000)
    assert float((narrow**2).std()) == pytest.approx((1 / (4 * 17)) ** 0.5, rel=0.02)


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        ({'source': 'whole'}, "source='whole' must be one of: random, salient, non_salient"),
        ({'paste': 'centre'}, "paste='centre' must be one of: corresponding, random, salient"),
        ({'size': 'area'}, "size='area' must be one of: tau, beta"),
        ({'tau': (0.9, 0.1)}, 'with 0 < low <= high <= 1'),
        ({'alpha': 0}, 'alpha=0 must be > 0'),
        ({'size': 'beta', 'tau': (0.9, 0.1)}, 'with 0 < low <= high <= 1'),
        ({'source': 'salient'}, r"needs saliency, float \[8, 16, 13\]; got None.*saliency='grad_cam'"),
        ({'paste': 'non_salient', 'saliency': jnp.zeros((8, 4, 4))}, r'got float32\[8, 4, 4\]'),
    ],
)
def test_bad_input_is_refused(keywords, message, key):
    with pytest.raises(ValueError, match=message):
        cut_paste(key, *coded.coordinates(BATCH, HEIGHT, WIDTH), **keywords)
