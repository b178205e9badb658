"""The files in which MNIST and its relatives were published: IDX, arrays of unsigned bytes.

A file is two zero bytes, the type (8: unsigned byte), the rank, each length as a big-endian int32, and the
bytes in row-major order; `.gz` packs it with gzip.
"""

import gzip
import math
import pathlib
import zlib

import numpy as np

from resizemix_jax.errors import DataError

UNSIGNED_BYTE = 8
PREFIXES = {'train': 'train', 'test': 't10k'}  # split in TFDS -> how its files' names begin
PARTS = ('images-idx3-ubyte', 'labels-idx1-ubyte')


def read(path):
    """A file of unsigned bytes, packed by gzip or not, as a uint8 array.

    Raises:
        DataError: it is damaged, truncated, longer than it says, or of another format.
    """
    raw = pathlib.Path(path).read_bytes()
    if raw[:2] == b'\x1f\x8b':
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f'{path} is damaged ({error}); copy or download it again') from error
    if raw[:3] != bytes((0, 0, UNSIGNED_BYTE)) or len(raw) < 4 + 4 * raw[3]:
        raise DataError(f'{path} is not an IDX file of unsigned bytes: it begins with {raw[:4].hex(" ")!r}')
    shape = tuple(map(int, np.frombuffer(raw, '>i4', raw[3], 4)))
    content = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if math.prod(shape) != content.size:
        raise DataError(
            f'{path} has {content.size} bytes of content, and its header says {shape}: '
            f'{math.prod(shape)}; copy or download it again'
        )
    return content.reshape(shape)


def find(directory, split):
    """The files of a split below `directory`: (images, labels), each packed or not.

    Raises:
        DataError: one is missing.
    """
    found = []
    for part in PARTS:
        name = f'{PREFIXES[split]}-{part}'
        # Some archives have a dot before 'idx'.
        names = [name + end for end in ('.gz', '')] + [
            name.replace('-idx', '.idx') + end for end in ('.gz', '')
        ]
        there = [path for path in (pathlib.Path(directory) / n for n in names) if path.is_file()]
        if not there:
            raise DataError(f'{directory} has no {name}.gz and no {name}')
        found.append(there[0])
    return tuple(found)


def read_split(directory, split, num_classes):
    """The images and labels of a split, 'train' or 'test': uint8 [N, H, W], uint8 [N].

    Raises:
        DataError: a file is missing or damaged, their numbers differ, or a label is not in 0..num_classes-1.
    """
    files = find(directory, split)
    images, label = map(read, files)
    if images.ndim != 3 or label.shape != images.shape[:1]:
        raise DataError(
            f'{files[0]} has the shape {images.shape} and {files[1].name} {label.shape}; '
            'expected [N, H, W] and [N]'
        )
    if label.size and label.max() >= num_classes:
        raise DataError(f'{files[1]} has the label {label.max()}, and there are {num_classes} classes')
    return images, label
