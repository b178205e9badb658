"""Every format is what Pillow makes of it; 16 bits are scaled; what Pillow refuses is one sentence."""

import io

import numpy as np
import pytest
from PIL import Image

from resizemix_jax.input import pillow
from tests.input import miniature, odd

PIXELS = miniature.pixels(40, 56, 0)


def animated():
    others = [Image.fromarray(miniature.pixels(40, 56, seed)) for seed in (1, 2)]
    return dict(save_all=True, append_images=others, duration=100)


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGB', 'RGBA'])
@pytest.mark.parametrize('file_format', ['PNG', 'WEBP', 'BMP', 'GIF', 'TIFF', 'PPM'])
def test_a_picture_is_what_pillow_makes_of_it(file_format, mode):
    image = Image.fromarray(PIXELS).convert(mode)
    if mode in ('LA', 'RGBA'):
        image.putalpha(128)
        if file_format in ('BMP', 'PPM') and mode == 'LA' or file_format == 'PPM':
            return
    try:
        data = odd.saved(image, file_format)
    except OSError:
        return  # a mode that the format does not have
    np.testing.assert_array_equal(pillow.decode(data), odd.pillow(data))


@pytest.mark.parametrize('file_format', ['PNG', 'WEBP', 'GIF', 'TIFF'])
def test_of_several_frames_the_first_is_taken(file_format):
    data = odd.saved(Image.fromarray(PIXELS), file_format, **animated())
    assert Image.open(io.BytesIO(data)).n_frames == 3
    first = odd.pillow(odd.saved(Image.fromarray(PIXELS), file_format))
    assert np.abs(pillow.decode(data).astype(int) - first).mean() < 5


def test_an_animated_png_shows_its_default_image():
    data = odd.saved(Image.fromarray(PIXELS), 'PNG', default_image=True, **animated())
    np.testing.assert_array_equal(pillow.decode(data), PIXELS)


def test_a_bitmap_of_16_bits_a_pixel():
    data = odd.bitmap_565(PIXELS)
    np.testing.assert_array_equal(pillow.decode(data), odd.pillow(data))
    assert np.abs(pillow.decode(data).astype(int) - PIXELS).max() <= 7


@pytest.mark.parametrize('file_format', ['PNG', 'TIFF', 'PPM'])
def test_16_bits_of_grey_are_scaled(file_format):
    values = np.linspace(0, 65535, 40 * 56).astype(np.uint16).reshape(40, 56)
    data = odd.saved(Image.fromarray(values), file_format)
    np.testing.assert_array_equal(pillow.decode(data), np.repeat((values >> 8)[..., None], 3, 2))
    np.testing.assert_array_equal(pillow.stored(data), (values >> 8)[..., None])


@pytest.mark.parametrize(('dtype', 'message'), [(np.float32, 'are floats'), (np.int32, 'beyond 16 bits')])
def test_pixels_without_a_known_range_are_refused(dtype, message):
    data = odd.saved(Image.fromarray(np.full((4, 4), 1 << 20, dtype)), 'TIFF')
    for function in (pillow.decode, pillow.stored):
        with pytest.raises(ValueError, match=f'{message}.*convert it to 8 or 16 bits'):
            function(data)


@pytest.mark.parametrize(
    ('mode', 'channels'), [('1', 1), ('L', 1), ('LA', 1), ('P', 3), ('RGB', 3), ('RGBA', 3)]
)
def test_stored_channels(mode, channels):
    image = Image.fromarray(PIXELS).convert(mode)
    found = pillow.stored(odd.saved(image, 'PNG'))
    assert found.shape == (40, 56, channels) and found.dtype == np.uint8
    np.testing.assert_array_equal(
        found, np.asarray(image.convert('L' if channels == 1 else 'RGB')).reshape(found.shape)
    )


@pytest.mark.parametrize('file_format', ['PNG', 'WEBP', 'BMP', 'GIF', 'TIFF', 'PPM', 'JPEG', 'JPEG2000'])
def test_a_damaged_file_is_one_sentence(file_format):
    data = odd.saved(Image.fromarray(PIXELS), file_format)
    rng = np.random.default_rng(0)
    torn = [data[:cut] for cut in range(0, len(data) - 10, max(1, len(data) // 40))]
    torn += [odd.overwritten(data, 16, rng) for _ in range(40)]
    for file in torn:
        expected = odd.pillow(file)
        if isinstance(expected, Exception):
            with pytest.raises(ValueError, match=r'^the picture cannot be decoded: [^\n]+$') as error:
                pillow.decode(file)
            assert ' at 0x' not in str(error.value)  # the same text in every run
        else:
            np.testing.assert_array_equal(pillow.decode(file), expected)


def test_formats_that_start_programs_are_not_opened():
    data = b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n'
    assert Image.open(io.BytesIO(data)).format == 'EPS'
    with pytest.raises(ValueError, match='its content is none of JPEG, PNG, '):
        pillow.decode(data)


def test_the_limit_holds_where_pillow_s_own_is_lifted(monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', None)
    with pytest.raises(ValueError, match='it has more than 178,956,970 pixels'):
        pillow.decode(odd.claiming(20000, 20000))
