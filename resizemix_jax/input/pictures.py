"""A user's own pictures, as examples for the gallery."""

import pathlib

import cv2
import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import ImageSplit

ENDINGS = ('.jpg', '.jpeg', '.png', '.webp', '.bmp')


def read_pictures(directory, side):
    """The pictures of a directory in the order of their names, each the middle square at one size.

    Args:
        directory: holds files that end in one of ENDINGS; others are ignored.
        side: pixels; a picture is scaled until its shorter side has this length.

    Returns:
        An ImageSplit of images uint8 [N, side, side, 3], label 0..N-1, names the files' stems.

    Raises:
        DataError: the directory is missing, has fewer than two pictures, or one that cannot be decoded.
    """
    root = pathlib.Path(directory)
    if not root.is_dir():
        raise DataError(f'--images={directory} is not a directory; pass one that holds pictures')
    files = sorted(f for f in root.iterdir() if f.suffix.lower() in ENDINGS)
    if len(files) < 2:
        raise DataError(
            f'--images={directory} holds {len(files)} pictures ({", ".join(ENDINGS)}); mixing takes two'
        )
    images = np.stack([_middle_square(file, side) for file in files])
    return ImageSplit(images, np.arange(len(files), dtype=np.int32), tuple(f.stem for f in files))


def _middle_square(file, side):
    image = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f'{file} cannot be decoded as a picture; repair or remove it')
    image = image[..., ::-1]  # OpenCV's order is blue, green, red
    height, width, _ = image.shape
    scale = side / min(height, width)
    size = max(side, round(width * scale)), max(side, round(height * scale))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    y, x = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[y : y + side, x : x + side]
