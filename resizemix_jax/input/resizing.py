"""Pixels -> an image of another size, by the laws that `resize` names.

`antialias`: Pillow's bilinear resize, and so torchvision's: a triangle as wide as two pixels of the coarser
grid, in fixed point, in a pass for each axis, with uint8 between. Pillow 13 orders the passes by their cost.

`dali`: as the code released with ResizeMix tells NVIDIA's DALI, whose filters Pillow's stand for: an axis
that shrinks by that triangle, one that grows by a Lanczos window of three pixels a side.

`linear`: interpolates between two pixels a side, as TensorFlow's resize does unless told otherwise. `area`:
averages the pixels that an axis shrinks over, and is `linear` where it grows.
"""

import cv2
import numpy as np
from PIL import Image

PILLOW, OPENCV = ('antialias', 'dali'), ('linear', 'area')
RESIZE = (*PILLOW, *OPENCV)


def resize_box(pixels, box, height, width, resize):
    """A box of a picture at another size: uint8 [height, width, 3].

    Args:
        pixels: uint8 [H, W, 3].
        box: (y0, x0, y1, x1) in pixels, not necessarily whole; what is around it counts at its edge.
        height, width: of the result.
        resize: one of PILLOW.
    """
    y0, x0, y1, x1 = box
    image = Image.fromarray(pixels)
    across, down = _filter(x1 - x0, width, resize), _filter(y1 - y0, height, resize)
    if across != down:
        image = image.resize((width, image.height), across, (x0, 0, x1, image.height))
        x0, x1 = 0, width
    return np.asarray(image.resize((width, height), down, (x0, y0, x1, y1)))


def resize_whole(pixels, height, width, resize):
    """A whole picture at another size: uint8 [height, width, 3]; `resize` is one of OPENCV."""
    shrinks = pixels.shape[0] >= height and pixels.shape[1] >= width
    area = resize == 'area' and shrinks  # OpenCV's area is not bilinear interpolation where it enlarges
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR)


def _filter(before, after, resize):
    return Image.LANCZOS if resize == 'dali' and after > before else Image.BILINEAR
