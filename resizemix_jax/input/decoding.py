"""Encoded pictures -> the crops that the network sees, and the law of these crops.

Training, as torchvision's RandomResizedCrop and RandomHorizontalFlip: up to ten boxes are drawn, each with an
area of U(0.08, 1) of the picture's and a ratio of width to height that is log-uniform in [3/4, 4/3], both
sides rounded; the first box that fits is placed uniformly. If none fits, the box is the largest one in the
middle whose ratio is in that range. The crop is resized to the network's size and flipped with probability
1/2. All draws come from the generator that is passed in.

Evaluation, as torchvision's Resize and CenterCrop: the shorter side is resized to `eval_resize`, the longer
one in proportion, rounded down; then the middle is cut out, its corner rounded to even.

The laws of resizing are in `resizing`. By Pillow (`antialias`, the default, and `dali`), training's
crops are torchvision's bit by bit, and evaluation's but for rounding, since only what is cut out is computed.
`linear` and `area` first reduce a JPEG whose crop is at least twice the network's size by 2, 4 or 8 in its
own transform, the box's corners rounded outwards to that grid. For them, a picture longer than LONGEST times
its shorter side is cut to that before it is evaluated on.
"""

import contextlib
import math

import cv2

from resizemix_jax.errors import first_line
from resizemix_jax.input import jpeg, pillow
from resizemix_jax.input.resizing import PILLOW, resize_box, resize_whole

AREA, RATIO, TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
REACH = 3  # pixels of the coarser grid that a filter reaches beyond its box at most
LONGEST = 32  # times the shorter side; what is longer is cut before OpenCV resizes it whole


@contextlib.contextmanager
def _damage():
    """What a single picture can cause, beside a ValueError, as a ValueError."""
    try:
        yield
    except (cv2.error, MemoryError) as error:
        reason = first_line(error) or 'not enough memory'
        raise ValueError(f'the picture cannot be decoded: {reason}') from error


class _Picture:
    """An encoded picture: its size at once, its pixels as far as they are needed."""

    def __init__(self, data):
        self._data, self._head = data, jpeg.header(data)
        self._whole = None if self._head else pillow.decode(data)
        self.height, self.width = self._head[:2] if self._head else self._whole.shape[:2]

    def factor(self, side, size, resize):
        """By how much to reduce while decoding, so that `side` pixels are still at least `size`."""
        if not self._head or resize in PILLOW:
            return 1
        return next((f for f in jpeg.FACTORS if side >= size * f), 1)

    def pixels(self, bottom=0, factor=1):
        """uint8 [at least ceil(bottom / factor), ceil(W / factor), 3]; bottom 0: all rows."""
        found = jpeg.decode(self._data, self._head, bottom, factor) if self._head else self._whole
        if found is None:
            found = pillow.decode(self._data)
            height, width = (-(-n // factor) for n in found.shape[:2])
            found = cv2.resize(found, (width, height), interpolation=cv2.INTER_AREA) if factor > 1 else found
        return found


def whole(data):
    """All pixels of an encoded picture as they are stored, see `pillow`: uint8 [H, W, 3].

    Raises:
        ValueError: it cannot be decoded.
    """
    with _damage():
        return _Picture(data).pixels()


def random_box(height, width, rng):
    """Draws the box of a training crop: (y, x, h, w)."""
    low, high = map(math.log, RATIO)
    for _ in range(TRIES):
        area = height * width * rng.uniform(*AREA)
        ratio = math.exp(rng.uniform(low, high))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w
    ratio = min(max(width / height, RATIO[0]), RATIO[1])
    h, w = min(height, round(width / ratio)), min(width, round(height * ratio))
    return (height - h) // 2, (width - w) // 2, h, w


@_damage()
def train_image(data, image_size, rng, resize='antialias'):
    """A random crop of an encoded picture, flipped or not: uint8 [image_size, image_size, 3].

    Args:
        data: bytes.
        image_size: side of the image, pixels.
        rng: NumPy generator.
        resize: one of `resizing.RESIZE`.

    Raises:
        ValueError: the picture cannot be decoded.
    """
    picture = _Picture(data)
    y, x, h, w = random_box(picture.height, picture.width, rng)
    flip = rng.random() < 0.5
    factor = picture.factor(min(h, w), image_size, resize)
    pixels = picture.pixels(y + h, factor)
    box = pixels[y // factor : -(-(y + h) // factor), x // factor : -(-(x + w) // factor)]
    if resize in PILLOW:
        image = resize_box(box, (0, 0, h, w), image_size, image_size, resize)
    else:
        image = resize_whole(box, image_size, image_size, resize)
    return cv2.flip(image, 1) if flip else image  # NumPy's flip would take a third of the decoding's time


@_damage()
def eval_image(data, image_size, eval_resize, resize='antialias'):
    """The middle of an encoded picture: uint8 [image_size, image_size, 3].

    Args:
        data: bytes.
        image_size: side of the image, pixels.
        eval_resize: length of the picture's shorter side when the image is cut out of its middle, pixels.
        resize: one of `resizing.RESIZE`.

    Raises:
        ValueError: the picture cannot be decoded.
    """
    picture = _Picture(data)
    height, width = picture.height, picture.width
    if resize not in PILLOW:
        return _eval_by_opencv(picture, image_size, eval_resize, resize)
    h, w, y, x = _middle(height, width, image_size, eval_resize)
    # Only what is cut out is computed: the whole of a long picture would take gigabytes.
    y0, y1 = (row * height / h for row in (y, y + image_size))
    x0, x1 = (column * width / w for column in (x, x + image_size))
    pixels = picture.pixels(bottom=math.ceil(y1 + REACH * max(height / h, 1)))
    return resize_box(pixels, (y0, x0, y1, x1), image_size, image_size, resize)


def _eval_by_opencv(picture, image_size, eval_resize, resize):
    shorter = min(picture.height, picture.width)
    height, width = min(picture.height, LONGEST * shorter), min(picture.width, LONGEST * shorter)
    factor = picture.factor(shorter, eval_resize, resize)
    pixels = picture.pixels(factor=factor)
    rows, columns = -(-height // factor), -(-width // factor)
    top, left = (pixels.shape[0] - rows) // 2, (pixels.shape[1] - columns) // 2
    h, w, y, x = _middle(height, width, image_size, eval_resize)
    image = resize_whole(pixels[top : top + rows, left : left + columns], h, w, resize)
    return image[y : y + image_size, x : x + image_size]


def _middle(height, width, image_size, eval_resize):
    """A picture's size when its shorter side is `eval_resize`, and the corner of its middle: (h, w, y, x)."""
    shorter = min(height, width)
    h, w = eval_resize * height // shorter, eval_resize * width // shorter
    return h, w, round((h - image_size) / 2), round((w - image_size) / 2)
