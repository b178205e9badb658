"""The law of the crops, and that what is decoded is what Pillow decodes."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from resizemix_jax.input import decoding as decode
from resizemix_jax.input import jpeg
from tests.input import miniature


def pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))


def boxes(height, width, count):
    return np.array([decode.random_box(height, width, np.random.default_rng(i)) for i in range(count)])


def test_boxes_follow_the_law():
    y, x, h, w = boxes(400, 500, 4000).T
    assert (y >= 0).all() and (x >= 0).all() and (y + h <= 400).all() and (x + w <= 500).all()
    share, ratio = h * w / 200_000, w / h
    assert share.min() >= 0.079 and share.max() <= 1 and share.min() < 0.1
    assert (ratio > 0.74).all() and (ratio < 1.35).all()
    small = share < 0.4  # such a box fits whatever its ratio, so the laws are seen undistorted
    assert share[small].mean() == pytest.approx(0.24, abs=0.008)
    assert np.log(ratio[small]).mean() == pytest.approx(0, abs=0.02)
    assert np.log(ratio[small]).std() == pytest.approx(2 * math.log(4 / 3) / 12**0.5, rel=0.05)
    for corner, room in ((y, 400 - h), (x, 500 - w)):  # uniform in the room that is left, ends included
        place = corner[room > 20] / room[room > 20]
        assert place.mean() == pytest.approx(0.5, abs=0.02) and place.std() == pytest.approx(
            12**-0.5, abs=0.02
        )
        assert place.min() == 0 and place.max() == 1


def test_a_box_that_never_fits_is_the_largest_in_the_middle():
    assert set(map(tuple, boxes(30, 3000, 20))) == {(0, 1480, 30, 40)}
    assert set(map(tuple, boxes(3000, 30, 20))) == {(1480, 0, 40, 30)}
    assert decode.random_box(1, 1, np.random.default_rng(0)) == (0, 0, 1, 1)


def test_half_of_the_crops_are_flipped():
    image = np.tile(np.arange(64, dtype=np.uint8)[None, :, None] * 4, (64, 1, 3))  # brighter to the right
    crops = [decode.train_image(miniature.encode(image), 8, np.random.default_rng(i)) for i in range(300)]
    flipped = np.mean([crop[:, 0].mean() > crop[:, -1].mean() for crop in crops])
    assert flipped == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize('kind', sorted(set(miniature.KINDS)))
@pytest.mark.parametrize('size', [(97, 64), (75, 101), (16, 9)])
def test_every_kind_is_decoded_as_pillow_decodes_it(kind, size):
    data = miniature.encode(miniature.pixels(*size, 0), kind)
    head = jpeg.header(data)
    assert head is None if kind in ('png', 'palette') else (head.height, head.width) == size
    difference = np.abs(jpeg.decode(data, head).astype(int) - pillow(data))
    assert difference.max() <= (2 if kind == 'cmyk' else 0)


@pytest.mark.parametrize('kind', ['colour', 'fine', 'grey', 'progressive'])
def test_what_a_crop_does_not_need_is_left_out_without_a_trace(kind):
    data = miniature.encode(miniature.pixels(97, 75, 1), kind)
    head, whole = jpeg.header(data), pillow(data)
    for bottom in range(1, 98):
        image = jpeg.decode(data, head, bottom)
        assert len(image) == (97 if kind == 'progressive' else min(97, bottom + jpeg.MARGIN))
        np.testing.assert_array_equal(image[:bottom], whole[:bottom])


@pytest.mark.parametrize('factor', jpeg.FACTORS)
@pytest.mark.parametrize('kind', ['colour', 'progressive', 'png', 'cmyk'])
def test_a_reduced_picture_is_the_mean_of_its_pixels(factor, kind):
    odd = miniature.encode(miniature.pixels(299, 413, 2), kind)
    assert jpeg.decode(odd, jpeg.header(odd), factor=factor).shape == (
        -(-299 // factor),
        -(-413 // factor),
        3,
    )
    data = miniature.encode(miniature.pixels(304, 416, 2), kind)
    image = jpeg.decode(data, jpeg.header(data), factor=factor)
    area = np.asarray(Image.fromarray(pillow(data)).resize(image.shape[1::-1], Image.BOX))
    assert np.abs(image.astype(int) - area).mean() < 3


@pytest.mark.parametrize('resize', ['linear', 'area'])
@pytest.mark.parametrize(
    ('height', 'width', 'size', 'limit'),
    # the last one is reduced while it is decoded, and its box rounded to that grid
    [(300, 413, 224, 0.7), (413, 300, 128, 0.7), (50, 40, 64, 0.7), (1200, 901, 64, 4)],
)
def test_a_training_crop_is_pillow_s_resize_of_the_box(height, width, size, limit, resize):
    data = miniature.encode(miniature.pixels(height, width, 3, noise=0))
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y, x, h, w = decode.random_box(height, width, rng)
        if limit < 1 and min(h, w) >= 2 * size:
            continue
        expected = Image.fromarray(pillow(data)).resize((size, size), Image.BILINEAR, (x, y, x + w, y + h))
        expected = np.asarray(expected)[:, :: -1 if rng.random() < 0.5 else 1]
        crop = decode.train_image(data, size, np.random.default_rng(seed), resize)
        assert crop.shape == (size, size, 3) and crop.dtype == np.uint8
        assert np.abs(crop.astype(int) - expected).mean() < limit


@pytest.mark.parametrize(
    ('height', 'width', 'limit'),
    [
        (130, 180, 0.7),
        (145, 97, 0.7),
        (97, 64, 0.7),
        (64, 64, 0.7),
        (40, 41, 0.7),
        (901, 1201, 2.5),
        (413, 300, 2.5),
    ],
)
def test_the_evaluation_crop_is_torchvision_s(height, width, limit):
    image = miniature.pixels(height, width, 4, noise=0)
    data = miniature.encode(image, 'fine', quality=98)
    # Resize(73) and CenterCrop(64), written out as torchvision has them.
    shorter, longer = sorted((height, width))
    new = (73, int(73 * longer / shorter))
    h, w = new if height <= width else new[::-1]
    top, left = int(round((h - 64) / 2.0)), int(round((w - 64) / 2.0))
    expected = np.asarray(Image.fromarray(pillow(data)).resize((w, h), Image.BILINEAR))[
        top : top + 64, left : left + 64
    ]
    for resize in decode.RESIZE:
        crop = decode.eval_image(data, 64, 73, resize)
        assert crop.shape == (64, 64, 3)
        assert np.abs(crop.astype(int) - expected).mean() < limit


@pytest.mark.parametrize('kind', ['colour', 'progressive', 'grey', 'cmyk', 'png'])
def test_a_picture_cut_short_is_an_error(kind):
    data = miniature.encode(miniature.pixels(97, 64, 5), kind)
    for cut in (data[: len(data) // 2], data[:30], b'', b'no picture at all'):
        if kind == 'cmyk' and len(cut) > 30:
            continue  # OpenCV's reader fills it up
        with pytest.raises(ValueError):
            decode.train_image(cut, 32, np.random.default_rng(0))
        with pytest.raises(ValueError):
            decode.eval_image(cut, 32, 36)


def test_what_follows_a_picture_does_not_matter():
    data = miniature.encode(miniature.pixels(97, 64, 5))
    padded = data + bytes(1000)
    for rows in (0, 20):
        np.testing.assert_array_equal(*(jpeg.decode(d, jpeg.header(d), rows) for d in (data, padded)))
