"""Encoded pictures -> RGB pixels. JPEGs are decoded only as far as the crop needs.

JPEGs are decoded by libjpeg-turbo (simplejpeg), bit by bit as Pillow does. OpenCV is as fast, but prints a
warning for every picture that is not decoded to its end; it decodes the other formats that are found in files
named .jpg (PNG, CMYK). As in TFDS and torchvision, an orientation in the EXIF data is ignored, grey becomes
three equal channels, and transparency is dropped.
"""

from typing import NamedTuple

import cv2
import numpy as np
import simplejpeg

FACTORS = (8, 4, 2)  # by which a JPEG can be decoded at a smaller size, in less time
MARGIN = 4  # rows below a crop from which its colours are interpolated
_TAIL = 64  # bytes at the end of a complete file that contain the end marker
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEQUENTIAL = (0xC0, 0xC1)


class Header(NamedTuple):
    """The fields of a JPEG file that come before its pixels.

    Attributes:
        height, width: pixels.
        components: 1 grey, 3 colour, 4 CMYK.
        place: of the two bytes of the height, counted from the start of the file.
        one_scan: whether the pixels come row by row, so that the first rows can be decoded alone.
    """

    height: int
    width: int
    components: int
    place: int
    one_scan: bool


def header(data):
    """The Header of a JPEG, read without decoding it; None for other files."""
    if data[:2] != b'\xff\xd8':
        return None
    at, frame = 2, None
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in _FRAMES and at + 10 <= len(data):
            height, width = (int.from_bytes(data[at + k : at + k + 2], 'big') for k in (5, 7))
            frame = Header(height, width, data[at + 9], at + 5, marker in _SEQUENTIAL)
        if marker == 0xDA:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    if frame is None or not frame.height or not frame.width or at + 5 > len(data):
        return None
    return frame._replace(one_scan=frame.one_scan and data[at + 4] == frame.components)


def decode(data, head, bottom=0, factor=1):
    """A picture as uint8 [ceil(H / factor), ceil(W / factor), 3].

    Args:
        data: bytes.
        head: its `header`.
        bottom: rows from here on are not needed, and not decoded where that saves time; 0: all are needed.
        factor: 1 or one of FACTORS; pictures other than JPEGs are decoded at full size, then scaled.

    Raises:
        ValueError: it cannot be decoded, or is truncated.
    """
    if head is None or head.components not in (1, 3):
        return _decode_other(data, factor)
    _check_end(data)
    height = head.height
    if bottom and head.one_scan and bottom + MARGIN < height:
        # Rows lie one after the other, so a smaller height in the header ends the decoding there.
        height = bottom + MARGIN
        place = head.place
        data = b''.join((data[:place], height.to_bytes(2, 'big'), data[place + 2 :]))
    smallest = dict(min_height=-(-height // factor), min_width=-(-head.width // factor), min_factor=factor)
    return simplejpeg.decode_jpeg(data, 'RGB', strict=False, **smallest if factor > 1 else {})


def _check_end(data):
    """Raises ValueError if a JPEG is truncated: libjpeg would fill it up with grey."""
    if b'\xff\xd9' in data[-_TAIL:]:
        return
    try:
        simplejpeg.decode_jpeg(data, 'GRAY')
    except ValueError as error:
        if 'remature end' in str(error):
            raise


def _decode_other(data, factor):
    try:
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # of no bytes at all, for one
        image = None
    if image is None:
        raise ValueError('the picture cannot be decoded')
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if factor == 1:
        return image
    height, width = (-(-n // factor) for n in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
