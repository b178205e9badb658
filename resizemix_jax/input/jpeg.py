"""JPEGs -> RGB pixels by libjpeg-turbo (simplejpeg), where that is exact and safe, as far as they are needed.

Exact: the pixels are Pillow's bit by bit, in less time. Safe: turbojpeg reports a fatal error that follows a
warning as a warning, with pixels that nobody wrote, and scales lossless JPEGs past the end of their buffer.
So `header` accepts ordinary files alone, and `decode` no pixels from one that libjpeg warns of. All others
are left to Pillow.
"""

import re
from typing import NamedTuple

import numpy as np
import simplejpeg

from resizemix_jax.input.pillow import PIXELS

FACTORS = (8, 4, 2)  # by which a JPEG can be decoded at a smaller size, in less time
MARGIN = 4  # rows below a crop from which its colours are interpolated
_TAIL = 64  # bytes at the end of a complete file that contain the end marker
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}  # lossless, hierarchical, arithmetic
# libjpeg's warning when decoding stops above the last row: bytes are left up to the next marker.
_ROWS_LEFT = re.compile(r'extraneous bytes before marker 0xd[0-79]$')


class Header(NamedTuple):
    """The fields of a JPEG file that come before its pixels.

    Attributes:
        height, width: pixels.
        place: of the two bytes of the height, counted from the start of the file.
        one_scan: whether the pixels come row by row, so that the first rows can be decoded alone.
    """

    height: int
    width: int
    place: int
    one_scan: bool


def header(data):
    """The Header of a JPEG that libjpeg-turbo may decode, read without decoding it; None for other files.

    It may decode a complete baseline, extended or progressive file of 8 bits, grey or of three components, of
    at most PIXELS pixels, without anything between the segments of its header.
    """
    if data[:2] != b'\xff\xd8' or b'\xff\xd9' not in data[-_TAIL:]:
        return None
    at, frame = 2, None
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], 'big')
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in _OTHER_FRAMES or length < 2:
            return None
        if marker in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            frame = None if frame else _frame(data, at)
            if frame is None:
                return None
        if marker == 0xDA:
            return frame and frame._replace(one_scan=frame.one_scan and data[at + 4] == data[frame.place + 4])
        at += 2 + length
    return None


def _frame(data, at):
    """The Header in the frame segment at `at`, `one_scan` as far as that says; None if it is not ordinary."""
    height, width = (int.from_bytes(data[at + k : at + k + 2], 'big') for k in (5, 7))
    if data[at + 4] != 8 or data[at + 9] not in (1, 3) or not 0 < height * width <= PIXELS:
        return None
    return Header(height, width, at + 5, data[at + 1] != _PROGRESSIVE)


def decode(data, head, bottom=0, factor=1):
    """A picture as uint8 [ceil(H / factor), ceil(W / factor), 3], or None if it has to be left to Pillow.

    Args:
        data: bytes.
        head: its `header`.
        bottom: rows from here on are not needed, and not decoded where that saves time; 0: all are needed.
        factor: 1 or one of FACTORS.
    """
    height, some = head.height, bottom and head.one_scan and bottom + MARGIN < head.height
    if some:
        # Rows lie one after the other, so a smaller height in the header ends the decoding there.
        height, place = bottom + MARGIN, head.place
        data = b''.join((data[:place], height.to_bytes(2, 'big'), data[place + 2 :]))
    shape = -(-height // factor), -(-head.width // factor)
    pixels = np.empty((*shape, 3), np.uint8)
    smallest = dict(min_height=shape[0], min_width=shape[1], min_factor=factor) if factor > 1 else {}
    try:
        simplejpeg.decode_jpeg(data, 'RGB', buffer=pixels, **smallest)
    except ValueError as error:
        # Its text is of the error, or else of the first warning; without an error all pixels are written.
        if not (some and _ROWS_LEFT.search(str(error))):
            return None
    return pixels
