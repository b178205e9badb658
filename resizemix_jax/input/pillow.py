"""Encoded pictures of any format -> pixels, by Pillow, whose verdict on damage is the one that counts.

The first frame is taken of several. As in TFDS and torchvision, an orientation in the EXIF data is ignored
and transparency is dropped. Of 16 bits the upper 8 are kept, of grey pictures as Pillow itself does of colour
ones; 32-bit integers above 65,535 and floats have no known range and are refused.
"""

import io
import warnings

import numpy as np
from PIL import Image

from resizemix_jax.errors import first_line

# No format whose reader starts another program, as EPS does, or draws, as WMF does.
FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'GIF', 'TIFF', 'PPM', 'JPEG2000', 'AVIF')
PIXELS = 178_956_970  # the most of a picture: Pillow's own limit, 0.5 GB as RGB
GREY = ('1', 'L', 'LA', 'I', 'I;16', 'I;16L', 'I;16B')


def decode(data):
    """A picture as RGB, uint8 [H, W, 3]; grey becomes three equal channels.

    Raises:
        ValueError: it is damaged, of another format, or has more than PIXELS pixels.
    """
    return _decode(data, _rgb)


def stored(data):
    """A picture with the channels that it is stored with: uint8 [H, W, 1] if it is grey, else [H, W, 3].

    Raises:
        ValueError: as `decode`.
    """
    return _decode(data, lambda image: _grey(image)[..., None] if image.mode in GREY else _rgb(image))


def _decode(data, pixels):
    try:
        with warnings.catch_warnings():
            # Of large pictures below the limit, and of metadata that are not read here.
            warnings.simplefilter('ignore')
            with Image.open(io.BytesIO(data), formats=_formats()) as image:
                _check_size(*image.size)
                return pixels(image)
    except Image.DecompressionBombError as error:
        raise ValueError(f'the picture cannot be decoded: {_too_large()}') from error
    except Image.UnidentifiedImageError as error:
        reason = f'its content is none of {", ".join(_formats())}' if data else 'it is empty'
        raise ValueError(f'the picture cannot be decoded: {reason}') from error
    except Exception as error:  # damaged files raise errors of many types, SyntaxError and MemoryError too
        reason = first_line(error) or type(error).__name__
        raise ValueError(f'the picture cannot be decoded: {reason}') from error


def _formats():
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]  # AVIF: from Pillow 11.3 on


def _check_size(width, height):
    if width * height > PIXELS:  # Pillow's own limit may have been lifted
        raise ValueError(_too_large())


def _too_large():
    return f'it has more than {PIXELS:,} pixels, the most that are decoded'


def _rgb(image):
    if image.mode in ('I', 'F') or image.mode.startswith('I;16'):
        return np.repeat(_grey(image)[..., None], 3, axis=2)
    return np.array(image if image.mode == 'RGB' else image.convert('RGB'))


def _grey(image):
    if image.mode == 'F':
        raise ValueError('its pixels are floats, which have no known range; convert it to 8 or 16 bits')
    if not image.mode.startswith('I'):
        return np.array(image.convert('L'))
    values = np.asarray(image)
    if image.mode == 'I' and not 0 <= values.min() <= values.max() < 1 << 16:
        raise ValueError('its pixels are beyond 16 bits, without a known range; convert it to 8 or 16 bits')
    return (values >> 8).astype(np.uint8)
