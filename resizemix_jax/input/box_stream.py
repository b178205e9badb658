"""Pictures with boxes, decoded and resized while they are used; an example is that of `input.boxes`."""

import os
import pathlib
from typing import NamedTuple

import cv2
import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input import box_crop, decoding
from resizemix_jax.input.boxes import arrays, padded
from resizemix_jax.input.dataset import Split
from resizemix_jax.input.records import UNREADABLE
from resizemix_jax.input.streams import MEAN

GROUND = tuple(round(255 * value) for value in MEAN)  # beyond a picture


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


def resized(picture, window, side):
    """A window of a picture as uint8 [side, side, 3]; see `BoxStream`."""
    height, width = picture.shape[:2]
    if tuple(window) == (0, 0, width, height):
        return cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR)
    low, step = window[:2], (window[2:] - window[:2]) / side
    # From the image to the picture: pixel i, with its centre at i + 1/2, is at (i + 1/2) step + low - 1/2.
    to_picture = np.column_stack([np.diag(step), step / 2 + low - 0.5])
    how = dict(flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=GROUND)
    return cv2.warpAffine(picture, to_picture, (side, side), **how)


class BoxStream(Split):
    """A split of pictures in files, each resized to a square without keeping its aspect.

    Law: bilinear interpolation at the centres of pixels without antialiasing, OpenCV's, as MMDetection
    resizes; the boxes are multiplied by the new side over the old one along each axis. With `crops`, what is
    resized in training is the window of `box_crop`, drawn from (seed, epoch, row), the mean's colour beyond
    the picture; its interpolation is to 1/32 of a pixel (OpenCV's warpAffine), so that the canvas is never
    made.
    """

    streamed = True

    def __init__(self, title, root, annotations, side, most, names, crops=False):
        """`title` names the split in messages; `side` is that of the images, `most` the room for boxes."""
        self.crops = crops
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
        examples = []
        for row in rows:
            self.reading(row)
            rng = np.random.default_rng((*draw, int(row))) if draw and self.crops else None
            examples.append(self._example(int(row), rng))
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}

    def _example(self, row, rng):
        path = os.path.join(self.root, os.fsdecode(self.annotations.files[row]))
        try:
            picture = decoding.whole(pathlib.Path(path).read_bytes())
        except UNREADABLE as error:
            raise DataError(f'{self.describe(row)}: {error}; repair the file, or leave it out') from error
        height, width = picture.shape[:2]
        own = slice(*self.annotations.first[row : row + 2])
        boxes, wanted = self.annotations.boxes[own], ~self.annotations.ignore[own]
        window = np.array([0, 0, width, height])
        if rng is not None:
            window = box_crop.draw(rng, height, width, boxes)
            wanted &= box_crop.centred(boxes, window)
        x0, y0, x1, y1 = window
        scale = np.float32([self.side / (x1 - x0), self.side / (y1 - y0)] * 2)
        boxes = np.clip(boxes[wanted], [x0, y0] * 2, [x1, y1] * 2) - [x0, y0] * 2
        label = self.annotations.label[own][wanted]
        return padded(boxes * scale, label, self.most, self.describe(row)) | {
            'images': resized(picture, window, self.side),
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
