"""Encoded pictures -> the crops that the network sees, and the law of these crops.

Training, as torchvision's RandomResizedCrop and RandomHorizontalFlip: up to ten boxes are drawn, each with an
area of U(0.08, 1) of the picture's and a ratio of width to height that is log-uniform in [3/4, 4/3], both
sides rounded; the first box that fits is placed uniformly. If none fits, the box is the largest one in the
middle whose ratio is in that range. The crop is resized to the network's size and flipped with probability
1/2. All draws come from the generator that is passed in.

Evaluation, as torchvision's Resize and CenterCrop: the shorter side is resized to `eval_resize`, the longer
one in proportion, rounded down; then the middle is cut out, its corner rounded to even.

Resizing is bilinear at half-pixel centres. Two things differ from Pillow, and so from torchvision. A crop of
at least twice the network's size is first reduced by 2, 4 or 8 in the JPEG's own transform, and the box's
corners are rounded outwards to that grid. The remaining reduction, by less than 2, interpolates between two
pixels a side (`resize='linear'`, as TensorFlow does), where Pillow averages all of them. `resize='area'`
averages, too; it adds about a third of the time of decoding.
"""

import math

import cv2

from resizemix_jax.input import jpeg

AREA, RATIO, TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10
RESIZE = {'linear': cv2.INTER_LINEAR, 'area': cv2.INTER_AREA}


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


def train_image(data, image_size, rng, resize='linear'):
    """A random crop of an encoded picture, flipped or not: uint8 [image_size, image_size, 3].

    Raises:
        ValueError: the picture cannot be decoded.
    """
    head = jpeg.header(data)
    whole = None
    if head is None:
        whole = jpeg.decode(data, None)
    height, width = (head.height, head.width) if head else whole.shape[:2]
    y, x, h, w = random_box(height, width, rng)
    flip = rng.random() < 0.5
    factor = _factor(min(h, w), image_size) if head else 1
    image = jpeg.decode(data, head, y + h, factor) if head else whole
    box = image[y // factor : -(-(y + h) // factor), x // factor : -(-(x + w) // factor)]
    image = _resize(box, image_size, image_size, resize)
    return cv2.flip(image, 1) if flip else image  # NumPy's flip would take a third of the decoding's time


def eval_image(data, image_size, eval_resize, resize='linear'):
    """The middle of an encoded picture: uint8 [image_size, image_size, 3].

    Raises:
        ValueError: the picture cannot be decoded.
    """
    head = jpeg.header(data)
    factor = _factor(min(head.height, head.width), eval_resize) if head else 1
    image = jpeg.decode(data, head, factor=factor)
    height, width = (head.height, head.width) if head else image.shape[:2]
    shorter = min(height, width)
    h, w = eval_resize * height // shorter, eval_resize * width // shorter
    image = _resize(image, h, w, resize)
    y, x = round((h - image_size) / 2), round((w - image_size) / 2)
    return image[y : y + image_size, x : x + image_size]


def _factor(side, size):
    """The largest factor by which `side` pixels can be reduced and still be at least `size`."""
    return next((f for f in jpeg.FACTORS if side >= size * f), 1)


def _resize(image, height, width, resize):
    smaller = image.shape[0] >= height and image.shape[1] >= width
    # OpenCV's area is not bilinear interpolation where it enlarges.
    interpolation = RESIZE[resize] if smaller else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=interpolation)
