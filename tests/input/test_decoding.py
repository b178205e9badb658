"""The law of the crops; that they are torchvision's; what is damage, and what is not."""

import math
import pathlib
import resource

import cv2
import numpy as np
import pytest
from PIL import Image

from resizemix_jax.input import decoding as decode
from resizemix_jax.input.resizing import OPENCV, RESIZE
from tests.input import miniature, odd
from tests.input.odd import pillow

PHOTOS = sorted((pathlib.Path(__file__).parents[2] / 'docs' / 'photos').glob('*.jpg'))
RNG = np.random.default_rng


def train(data, size=32, seed=0, resize='antialias'):
    return decode.train_image(data, size, RNG(seed), resize)


def whole(data, side=64):
    """A square picture as it is: evaluated on at its own size."""
    return decode.eval_image(data, side, side)


def photographs(shorter):
    """Every photograph with a shorter side of so many pixels, upright and lying."""
    for path in PHOTOS:
        for size in ((shorter, shorter * 4 // 3), (shorter * 4 // 3, shorter)):
            yield odd.saved(Image.open(path).resize(size, Image.BICUBIC), 'JPEG', quality=92)


def training_crop(data, size, seed):
    """A crop as torchvision makes it of a box: (the image, the box's sides)."""
    rng, picture = RNG(seed), pillow(data)
    y, x, h, w = decode.random_box(*picture.shape[:2], rng)
    box = Image.fromarray(picture[y : y + h, x : x + w])
    return np.asarray(box.resize((size, size), Image.BILINEAR))[:, :: -1 if rng.random() < 0.5 else 1], h, w


def evaluation_crop(data, size, resize):
    """Resize(resize) and CenterCrop(size), written out as torchvision has them."""
    picture = pillow(data)
    height, width = picture.shape[:2]
    shorter, longer = sorted((height, width))
    new = (resize, int(resize * longer / shorter))
    h, w = new if height <= width else new[::-1]
    top, left = int(round((h - size) / 2.0)), int(round((w - size) / 2.0))
    resized = np.asarray(Image.fromarray(picture).resize((w, h), Image.BILINEAR))
    return resized[top : top + size, left : left + size]


def error(image, expected):
    return np.abs(image.astype(int) - expected)


def boxes(height, width, count):
    return np.array([decode.random_box(height, width, RNG(i)) for i in range(count)])


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
    assert decode.random_box(1, 1, RNG(0)) == (0, 0, 1, 1)


def test_half_of_the_crops_are_flipped():
    image = np.tile(np.arange(64, dtype=np.uint8)[None, :, None] * 4, (64, 1, 3))  # brighter to the right
    crops = [train(miniature.encode(image), 8, i) for i in range(300)]
    flipped = np.mean([crop[:, 0].mean() > crop[:, -1].mean() for crop in crops])
    assert flipped == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize('shorter', [256, 375, 512, 768])
def test_a_training_crop_is_torchvision_s_bit_by_bit(shorter):
    for seed, data in enumerate(photographs(shorter)):
        expected, _, _ = training_crop(data, 224, seed)
        np.testing.assert_array_equal(train(data, 224, seed), expected)


@pytest.mark.parametrize('shorter', [256, 375, 511, 512, 768])
def test_the_evaluation_crop_is_torchvision_s(shorter):
    for data in photographs(shorter):
        off = error(decode.eval_image(data, 224, 256), evaluation_crop(data, 224, 256))
        assert off.max() <= 1 and off.mean() < 0.01  # a coefficient in 22 bits may round otherwise


@pytest.mark.parametrize('kind', ['grey', 'progressive', 'cmyk', 'png', 'palette', 'turned'])
@pytest.mark.parametrize(('height', 'width'), [(130, 180), (97, 64), (40, 41), (9, 300)])
def test_so_is_that_of_every_kind_and_shape(kind, height, width):
    data = miniature.encode(miniature.pixels(height, width, 4), kind)
    assert error(decode.eval_image(data, 64, 73), evaluation_crop(data, 64, 73)).max() <= 1
    for seed in range(5):
        np.testing.assert_array_equal(train(data, 48, seed), training_crop(data, 48, seed)[0])


@pytest.mark.parametrize('resize', OPENCV)
@pytest.mark.parametrize(
    ('height', 'width', 'size', 'limit'),
    # the last one is reduced while it is decoded, and its box rounded to that grid
    [(300, 413, 224, 0.7), (413, 300, 128, 0.7), (50, 40, 64, 0.7), (1200, 901, 64, 4)],
)
def test_a_crop_by_opencv_is_close_to_it(height, width, size, limit, resize):
    data = miniature.encode(miniature.pixels(height, width, 3, noise=0))
    for seed in range(10):
        expected, h, w = training_crop(data, size, seed)
        if limit < 1 and min(h, w) >= 2 * size:
            continue
        crop = train(data, size, seed, resize)
        assert crop.shape == (size, size, 3) and crop.dtype == np.uint8
        assert error(crop, expected).mean() < limit


@pytest.mark.parametrize('resize', OPENCV)
@pytest.mark.parametrize(
    ('height', 'width', 'limit'),
    [(130, 180, 0.7), (145, 97, 0.7), (64, 64, 0.7), (40, 41, 0.7), (901, 1201, 2.5), (413, 300, 2.5)],
)
def test_an_evaluation_crop_by_opencv_is_close_to_it(height, width, limit, resize):
    image = miniature.pixels(height, width, 4, noise=0)
    data = miniature.encode(image, 'fine', quality=98)
    crop = decode.eval_image(data, 64, 73, resize)
    assert crop.shape == (64, 64, 3)
    assert error(crop, evaluation_crop(data, 64, 73)).mean() < limit


@pytest.mark.parametrize('resize', RESIZE)
@pytest.mark.parametrize('shape', [(65500, 1), (1, 65500), (3, 10000)])
def test_a_long_picture_takes_no_more_memory_than_its_pixels(shape, resize):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for file_format in ('PNG', 'JPEG'):
        data = odd.saved(Image.new('RGB', shape[::-1], (200, 100, 0)), file_format)
        for image in (decode.eval_image(data, 224, 256, resize), train(data, 224, 0, resize)):
            assert image.shape == (224, 224, 3) and error(image, [200, 100, 0]).max() <= 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB; it took 13 GB


@pytest.mark.parametrize('kind', ['colour', 'progressive', 'grey', 'cmyk', 'png'])
def test_a_picture_cut_short_is_damage(kind):
    data = miniature.encode(miniature.pixels(97, 64, 5), kind)
    for cut in (data[: len(data) // 2], data[:-100], data[:30], b'', b'no picture at all'):
        for resize in ('antialias', 'linear'):
            with pytest.raises(ValueError, match='the picture cannot be decoded: '):
                train(cut, resize=resize)
            with pytest.raises(ValueError, match='the picture cannot be decoded: '):
                decode.eval_image(cut, 32, 36, resize)


@pytest.mark.parametrize('count', [4, 300])
@pytest.mark.parametrize('kind', ['colour', 'progressive', 'grey'])
def test_a_damaged_jpeg_is_damage_or_what_pillow_makes_of_it(kind, count):
    """Where libjpeg warned before it failed, the pixels used to be memory that nobody had written."""
    data, rng, refused = miniature.encode(miniature.pixels(64, 64, 5), kind), RNG(0), 0
    for _ in range(60):
        torn = odd.overwritten(data, count, rng)
        expected = pillow(torn)
        if isinstance(expected, Exception):
            refused += 1
            for function in (whole, train):
                with pytest.raises(ValueError, match='the picture cannot be decoded: '):
                    function(torn)
        elif expected.shape == (64, 64, 3):
            np.testing.assert_array_equal(whole(torn), expected)
    assert refused or kind != 'progressive'


@pytest.mark.parametrize('header', odd.WARNING_HEADERS)
@pytest.mark.parametrize('kind', ['colour', 'progressive'])
def test_a_header_that_only_warns_is_no_damage(header, kind):
    data = odd.WARNING_HEADERS[header](miniature.encode(miniature.pixels(64, 64, 5), kind))
    np.testing.assert_array_equal(whole(data), pillow(data))
    assert train(data).shape == train(data, resize='linear').shape == (32, 32, 3)


def test_a_lossless_jpeg_is_decoded_whole():
    """At a reduced scale libjpeg-turbo writes past the end of its buffer."""
    data = odd.lossless(160)
    for resize in RESIZE:
        assert (train(data, 32, 0, resize) == 128).all()
        assert (decode.eval_image(data, 32, 36, resize) == 128).all()


@pytest.mark.parametrize(
    'data',
    [odd.claiming(20000, 20000), odd.saved(Image.new('1', (20000, 10000)), 'PNG')],
    ids=['a JPEG of 3 kB', 'a PNG of 25 kB'],
)
def test_more_pixels_than_the_limit_are_damage(data):
    for resize in ('antialias', 'linear'):
        for function in (decode.eval_image, decode.train_image):
            last = 36 if function is decode.eval_image else RNG(0)
            with pytest.raises(ValueError, match='it has more than 178,956,970 pixels'):
                function(data, 32, last, resize)


@pytest.mark.slow
@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('file_format', ['JPEG', 'PNG'])
def test_a_photograph_of_100_megapixels_is_none(file_format):
    data = odd.saved(Image.new('L', (12000, 8400), 'white'), file_format)
    assert (decode.eval_image(data, 224, 256) == 255).all()


@pytest.mark.parametrize('cause', [MemoryError(), cv2.error('too large')])
def test_what_one_picture_can_cause_is_damage(cause, monkeypatch):
    def fail(*args):
        raise cause

    monkeypatch.setattr(decode, 'resize_box', fail)
    for function in (whole, train):
        with pytest.raises(ValueError, match='cannot be decoded: (not enough memory|too large)'):
            function(miniature.encode(miniature.pixels(64, 64, 0)))


def test_orientation_is_ignored():
    image = miniature.pixels(64, 64, 0)
    plain, turned = (miniature.encode(image, kind) for kind in ('colour', 'turned'))
    np.testing.assert_array_equal(whole(turned), whole(plain))
    np.testing.assert_array_equal(train(turned), train(plain))
