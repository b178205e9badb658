"""A user's own pictures, as examples for the gallery."""

import pathlib

import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input import decoding
from resizemix_jax.input.dataset import ImageSplit

# Of the files that are taken for pictures, here and by the dataset `folder`.
ENDINGS = ('.jpg', '.jpeg', '.jfif', '.png', '.webp', '.bmp', '.tif', '.tiff', '.ppm', '.pgm')


def read_pictures(directory, side):
    """The pictures of a directory in the order of their names, each the middle square at one size.

    Args:
        directory: holds files that end in one of ENDINGS; others are ignored, and names with a leading dot.
        side: pixels; a picture is scaled until its shorter side has this length.

    Returns:
        An ImageSplit of images uint8 [N, side, side, 3], label 0..N-1, names the files' stems.

    Raises:
        DataError: the directory is missing, has fewer than two pictures, or one that cannot be decoded.
    """
    root = pathlib.Path(directory)
    if not root.is_dir():
        raise DataError(f'--images={directory} is not a directory; pass one that holds pictures')
    files = sorted(f for f in root.iterdir() if f.suffix.lower() in ENDINGS and f.name[0] != '.')
    if len(files) < 2:
        raise DataError(
            f'--images={directory} holds {len(files)} pictures ({", ".join(ENDINGS)}); mixing takes two'
        )
    images = np.stack([_middle_square(file, side) for file in files])
    return ImageSplit(images, np.arange(len(files), dtype=np.int32), tuple(f.stem for f in files))


def _middle_square(file, side):
    """The middle of a picture as `decoding.eval_image` cuts it out, so as it would be evaluated on."""
    try:
        if not file.is_file():  # reading a pipe would never end
            raise ValueError('a broken link' if file.is_symlink() else 'not a regular file')
        return decoding.eval_image(file.read_bytes(), side, side)
    except (ValueError, OSError) as error:
        raise DataError(f'{file}: {error}; repair or remove it') from error
