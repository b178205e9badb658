"""Pictures with boxes, decoded and resized while they are used; an example is that of `input.boxes`."""

import os
import pathlib
from typing import NamedTuple

import cv2
import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input import decoding
from resizemix_jax.input.boxes import arrays, padded
from resizemix_jax.input.dataset import Split
from resizemix_jax.input.records import UNREADABLE


class Annotations(NamedTuple):
    """The pictures of a split and their boxes, one after another: arrays, which workers get fast.

    Attributes:
        files: bytes [N], paths below the split's root.
        first: int64 [N + 1]; the boxes of picture i are first[i] .. first[i + 1].
        boxes: float32 [M, 4], (x0, y0, x1, y1) in pixels of the picture.
        label: int32 [M].
        ignore: bool [M], difficult or crowd: never a box to be found.
        area: float64 [M], square pixels.
    """

    files: np.ndarray
    first: np.ndarray
    boxes: np.ndarray
    label: np.ndarray
    ignore: np.ndarray
    area: np.ndarray

    @classmethod
    def of(cls, pictures):
        """Of (file, boxes [n, 4], label [n], ignore [n], area [n]) a picture."""
        files, boxes, label, ignore, area = zip(*pictures, strict=True)
        return cls(
            np.array([os.fsencode(file) for file in files]),
            np.cumsum([0, *map(len, boxes)]),
            np.concatenate([np.asarray(some, np.float32).reshape(-1, 4) for some in boxes]),
            np.concatenate([np.asarray(some, np.int32) for some in label]),
            np.concatenate([np.asarray(some, bool) for some in ignore]),
            np.concatenate([np.asarray(some, float) for some in area]),
        )


class BoxStream(Split):
    """A split of pictures in files, each resized to a square without keeping its aspect.

    Law: bilinear interpolation at the centres of pixels without antialiasing, OpenCV's, as MMDetection
    resizes; the boxes are multiplied by the new side over the old one along each axis.
    """

    streamed = True

    def __init__(self, title, root, annotations, side, most, names):
        """`title` names the split in messages; `side` is that of the images, `most` the room for boxes."""
        self.title, self.root, self.annotations = title, str(root), annotations
        self.side, self.most, self.names = side, most, tuple(names)
        self.size = len(annotations.files)
        self.buckets = (arrays((side, side, 3), most),)
        count = np.add.reduceat(~np.append(annotations.ignore, True), annotations.first[:-1])
        count = np.where(np.diff(annotations.first) > 0, count, 0)
        if count.max(initial=0) > most:
            row = int(count.argmax())
            padded(np.zeros((count[row], 4)), np.zeros(count[row]), most, self.describe(row))

    @property
    def files(self):
        """(path below the root, bytes) of every picture."""
        paths = [os.fsdecode(file) for file in self.annotations.files]
        return tuple((path, os.stat(os.path.join(self.root, path)).st_size) for path in paths)

    def describe(self, row):
        return f'{self.title}: {os.path.join(self.root, os.fsdecode(self.annotations.files[row]))}'

    def batch(self, rows, draw):
        del draw
        examples = []
        for row in rows:
            self.reading(row)
            examples.append(self._example(int(row)))
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}

    def _example(self, row):
        path = os.path.join(self.root, os.fsdecode(self.annotations.files[row]))
        try:
            picture = decoding.whole(pathlib.Path(path).read_bytes())
        except UNREADABLE as error:
            raise DataError(f'{self.describe(row)}: {error}; repair the file, or leave it out') from error
        height, width = picture.shape[:2]
        scale = np.float32([self.side / width, self.side / height] * 2)
        own = slice(*self.annotations.first[row : row + 2])
        wanted = ~self.annotations.ignore[own]
        boxes, label = self.annotations.boxes[own][wanted] * scale, self.annotations.label[own][wanted]
        return padded(boxes, label, self.most, self.describe(row)) | {
            'images': cv2.resize(picture, (self.side, self.side), interpolation=cv2.INTER_LINEAR),
            'size': np.float32([self.side, self.side]),
            'scale': scale,
        }

    def truths(self):
        """Of every example a dict of boxes, label, ignore and area, see `detection.average_precision`."""
        kept = self.annotations
        parts = [slice(*kept.first[row : row + 2]) for row in range(self.size)]
        return [
            {
                'boxes': kept.boxes[own],
                'label': kept.label[own],
                'ignore': kept.ignore[own],
                'area': kept.area[own],
            }
            for own in parts
        ]

    def limit_threads(self):
        cv2.setNumThreads(1)
