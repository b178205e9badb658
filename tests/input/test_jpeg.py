"""libjpeg-turbo decodes what Pillow decodes, only as far as needed, and leaves the rest to it."""

import numpy as np
import pytest
from PIL import Image

from resizemix_jax.input import jpeg
from tests.input import miniature, odd
from tests.input.odd import pillow


@pytest.mark.parametrize('kind', ['colour', 'fine', 'grey', 'progressive', 'turned'])
@pytest.mark.parametrize('size', [(97, 64), (75, 101), (16, 9), (1, 1)])
def test_an_ordinary_jpeg_is_decoded_as_pillow_decodes_it(kind, size):
    data = miniature.encode(miniature.pixels(*size, 0), kind)
    head = jpeg.header(data)
    assert (head.height, head.width) == size and head.one_scan == (kind != 'progressive')
    np.testing.assert_array_equal(jpeg.decode(data, head), pillow(data))


@pytest.mark.parametrize('restarts', [0, 3])
@pytest.mark.parametrize('kind', ['colour', 'fine', 'grey', 'progressive'])
def test_what_a_crop_does_not_need_is_left_out_without_a_trace(kind, restarts):
    options = dict(restart_marker_blocks=restarts) if restarts else {}
    data = miniature.encode(miniature.pixels(97, 75, 1), kind, **options)
    head, whole = jpeg.header(data), pillow(data)
    for bottom in range(1, 98):
        image = jpeg.decode(data, head, bottom)
        assert len(image) == (97 if kind == 'progressive' else min(97, bottom + jpeg.MARGIN))
        np.testing.assert_array_equal(image[:bottom], whole[:bottom])


@pytest.mark.parametrize('factor', jpeg.FACTORS)
@pytest.mark.parametrize('kind', ['colour', 'progressive'])
def test_a_reduced_picture_is_the_mean_of_its_pixels(factor, kind):
    odd_sized = miniature.encode(miniature.pixels(299, 413, 2), kind)
    image = jpeg.decode(odd_sized, jpeg.header(odd_sized), factor=factor)
    assert image.shape == (-(-299 // factor), -(-413 // factor), 3)
    data = miniature.encode(miniature.pixels(304, 416, 2), kind)
    image = jpeg.decode(data, jpeg.header(data), factor=factor)
    area = np.asarray(Image.fromarray(pillow(data)).resize(image.shape[1::-1], Image.BOX))
    assert np.abs(image.astype(int) - area).mean() < 3


def test_what_is_not_ordinary_is_left_to_pillow():
    image = miniature.pixels(64, 64, 0)
    data = miniature.encode(image)
    frame, scan = data.index(b'\xff\xc0'), data.index(b'\xff\xda')
    left = {
        'another format': miniature.encode(image, 'png'),
        'four components': miniature.encode(image, 'cmyk'),
        'lossless': odd.lossless(64),
        'arithmetic': data.replace(b'\xff\xc0', b'\xff\xc9'),
        '12 bits': data[: frame + 4] + b'\x0c' + data[frame + 5 :],
        'no height': odd.claiming(0, 64),
        'too many pixels': odd.claiming(20000, 20000),
        'two frames': data[:frame] + data[frame : frame + 19] + data[frame:],
        'bytes between segments': odd.WARNING_HEADERS['extraneous bytes'](data),
        'a segment of no length': data[:scan] + b'\xff\xdb\0\0' + data[scan:],
        'no end': data[:-2],
        'a cut header': data[:scan] + b'\xff\xd9',
        'nothing': b'',
    }
    assert {name: jpeg.header(file) for name, file in left.items()} == dict.fromkeys(left)


def test_what_libjpeg_warns_of_is_left_to_pillow():
    data = miniature.encode(miniature.pixels(64, 64, 0), 'progressive')
    torn = data[:300] + bytes(40) + data[340:]
    assert jpeg.header(torn) and jpeg.decode(torn, jpeg.header(torn)) is None
    warned = odd.WARNING_HEADERS['bad ICC marker'](data)
    assert jpeg.decode(warned, jpeg.header(warned)) is None


def test_a_marker_below_the_crop_is_looked_at():
    """Rows that are left out are searched for markers, so a file is damaged whatever crop is taken of it."""
    data = miniature.encode(miniature.pixels(97, 64, 0, noise=30))
    torn = data[:-60] + b'\xff\xc4\0\x20' + data[-56:]
    assert isinstance(pillow(torn), Exception)
    assert jpeg.decode(torn, jpeg.header(torn), bottom=8) is None
