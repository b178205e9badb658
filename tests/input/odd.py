"""Files that are unusual, or damaged in ways that libraries differ about; all are made here."""

import io
import struct

import numpy as np
from PIL import Image

from tests.input import miniature

# In front of the first segment of a JPEG, or in its place: headers that libjpeg warns of and that do no harm.
WARNING_HEADERS = {
    'JFIF revision 0.00': lambda data: data[:11] + b'\0\0' + data[13:],
    'bad ICC marker': lambda data: _with_segment(data, 0xE2, b'ICC_PROFILE\0\0\0' + bytes(20)),
    'Adobe transform code 2': lambda data: _with_segment(data, 0xEE, b'Adobe\0\x64\0\0\0\0\x02'),
    'extraneous bytes': lambda data: data[:20] + b'\x01\x02\x03' + data[20:],
}


def pillow(data):
    """What Pillow makes of a file: uint8 [H, W, 3], or its exception."""
    try:
        return np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))
    except Exception as error:
        return error


def overwritten(data, count, rng):
    """A file with `count` random bytes at a random place behind its first 20, its last two kept."""
    at = int(rng.integers(20, len(data) - 2 - count))
    return data[:at] + rng.bytes(count) + data[at + count :]


def lossless(side):
    """A lossless JPEG, one grey (128): every difference is 0, whose code is one bit, 0."""
    frame = struct.pack('>BHHB', 8, side, side, 3) + b''.join(bytes((c, 0x11, 0)) for c in (1, 2, 3))
    codes = b'\0\x01' + bytes(15) + b'\0'
    scan = b'\x03\x01\0\x02\0\x03\0\x01\0\0'  # of three components, predicted from the left
    segments = [(0xC3, frame), (0xC4, codes), (0xDA, scan)]
    return b'\xff\xd8' + b''.join(_segment(*s) for s in segments) + bytes(side * side * 3 // 8) + b'\xff\xd9'


def claiming(height, width, **options):
    """A small JPEG whose header claims another size."""
    data = miniature.encode(miniature.pixels(64, 64, 0), **options)
    at = data.index(b'\xff\xc0') + 5
    return data[:at] + struct.pack('>HH', height, width) + data[at + 4 :]


def bitmap_565(image):
    """A BMP of 16 bits a pixel: 5 red, 6 green, 5 blue."""
    height, width, _ = image.shape
    r, g, b = (image[..., c].astype(np.uint16) >> drop for c, drop in zip(range(3), (3, 2, 3), strict=True))
    rows = np.zeros((height, -(-width // 2) * 2), '<u2')
    rows[:, :width] = r << 11 | g << 5 | b
    info = struct.pack('<IiiHHIIiiII', 40, width, -height, 1, 16, 3, rows.nbytes, 0, 0, 0, 0)
    masks = struct.pack('<III', 0xF800, 0x07E0, 0x001F)
    head = struct.pack('<2sIHHI', b'BM', 14 + 40 + 12 + rows.nbytes, 0, 0, 14 + 40 + 12)
    return head + info + masks + rows.tobytes()


def saved(image, file_format, **options):
    """The bytes of a Pillow image."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def _with_segment(data, marker, content):
    return data[:2] + _segment(marker, content) + data[20:]  # in place of JFIF's


def _segment(marker, content):
    return struct.pack('>BBH', 0xFF, marker, len(content) + 2) + content
