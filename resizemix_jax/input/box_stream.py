"""Pictures with boxes, decoded and resized while they are used; an example is that of `input.boxes`."""

import hashlib
import os
import pathlib
from typing import NamedTuple

import cv2
import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input import box_crop, decoding
from resizemix_jax.input.boxes import arrays, padded
from resizemix_jax.input.dataset import Dataset, Split
from resizemix_jax.input.records import UNREADABLE
from resizemix_jax.input.streams import MEAN, STD
from resizemix_jax.ranges import Choice, Flag, Whole

MULTIPLE = 32  # pixels, of the sides of a bucket
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
        shape: int32 [N, 2], (height, width) of each picture.
    """

    files: np.ndarray
    first: np.ndarray
    boxes: np.ndarray
    label: np.ndarray
    ignore: np.ndarray
    area: np.ndarray
    shape: np.ndarray

    @classmethod
    def of(cls, pictures):
        """Of (file, boxes [n, 4], label [n], ignore [n], area [n], (height, width)) a picture."""
        files, boxes, label, ignore, area, shape = zip(*pictures, strict=True)
        return cls(
            np.array([os.fsencode(file) for file in files]),
            np.cumsum([0, *map(len, boxes)]),
            np.concatenate([np.asarray(some, np.float32).reshape(-1, 4) for some in boxes]),
            np.concatenate([np.asarray(some, np.int32) for some in label]),
            np.concatenate([np.asarray(some, bool) for some in ignore]),
            np.concatenate([np.asarray(some, float) for some in area]),
            np.array(shape, np.int32),
        )


class View(NamedTuple):
    """How pictures become the images that the network sees; keywords of a dataset's function.

    Attributes:
        resize: 'square', see `SquareStream`, or 'keep', see `AspectStream`.
        image_size, crops: of the square.
        longest, shortest: of the kept aspect, pixels.
        most: room for boxes in a picture.
    """

    resize: str
    image_size: int
    crops: bool
    longest: int
    shortest: int
    most: int

    def checked(self):
        """Itself; ValueError for a value out of range."""
        where = 'dataset_args.'
        Choice('square', 'keep').check(where, resize=self.resize)
        Whole(1, 4096).check(where, image_size=self.image_size, longest=self.longest, shortest=self.shortest)
        Whole(1, 1000).check(where, most=self.most)
        Flag().check(where, crops=self.crops)
        if self.shortest > self.longest:
            raise ValueError(f'{where}shortest={self.shortest} must be <= longest={self.longest}')
        return self

    @property
    def buckets(self):
        """Of a split, see `dataset.Split`."""
        if self.resize == 'square':
            return (arrays((self.image_size, self.image_size, 3), self.most),)
        low, high = (-(-side // MULTIPLE) * MULTIPLE for side in (self.shortest, self.longest))
        return tuple(arrays((*shape, 3), self.most) for shape in ((low, high), (high, low)))

    def open(self, title, root, annotations, names):
        """The `BoxStream`; arguments as its own."""
        kind = SquareStream if self.resize == 'square' else AspectStream
        return kind(title, root, annotations, names, self)


def described(name, names, sizes, view, reader):
    """The Dataset of a `reader` that returns a `BoxStream`, see `dataset.Dataset`."""
    return Dataset(
        name=name,
        buckets=view.buckets,
        num_classes=len(names),
        sizes=sizes,
        mean=MEAN,
        std=STD,
        reader=reader,
        streamed=True,
        undivided='a picture of several classes cannot be held out by its class; set held_out=0',
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
    """A split of pictures in files; a subclass has `buckets` and `example`.

    Args:
        title: names the split in messages.
        root: the directory of the pictures.
        annotations: `Annotations`.
        names: of the classes.
        view: `View`.
    """

    streamed = True

    def __init__(self, title, root, annotations, names, view):
        self.title, self.root, self.annotations = title, str(root), annotations
        self.names, self.size = tuple(names), len(annotations.files)
        self.view, self.most, self.buckets = view, view.most, view.buckets
        count = [np.sum(~annotations.ignore[self.boxes_of(row)]) for row in range(self.size)]
        if max(count) > self.most:
            row = int(np.argmax(count))
            padded(np.zeros((count[row], 4)), np.zeros(count[row]), self.most, self.describe(row))

    @property
    def files(self):
        """(path below the root, bytes) of every picture; last their annotations, named by a digest.

        So a run that continues notices a box that was corrected, too.
        """
        paths = [os.fsdecode(file) for file in self.annotations.files]
        pictures = ((path, os.stat(os.path.join(self.root, path)).st_size) for path in paths)
        digest = hashlib.sha256(b''.join(array.tobytes() for array in self.annotations)).hexdigest()
        return (*pictures, (f'annotations {digest}', sum(array.nbytes for array in self.annotations)))

    def path(self, row):
        return os.path.join(self.root, os.fsdecode(self.annotations.files[row]))

    def boxes_of(self, row):
        """The slice of the boxes of a picture."""
        return slice(*self.annotations.first[row : row + 2])

    def describe(self, row):
        return f'{self.title}: {self.path(row)}'

    def example(self, picture, row, rng):
        """An example, a dict of the arrays of `input.boxes`.

        Args:
            picture: uint8 [H, W, 3].
            row: its number.
            rng: NumPy generator of this example and epoch in training, or None.
        """
        raise NotImplementedError

    def batch(self, rows, draw):
        examples = []
        for row in map(int, rows):
            self.reading(row)
            rng = np.random.default_rng((*draw, row)) if draw else None
            examples.append(self.example(self._picture(row), row, rng))
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}

    def _picture(self, row):
        try:
            picture = decoding.whole(pathlib.Path(self.path(row)).read_bytes())
        except UNREADABLE as error:
            raise DataError(f'{self.describe(row)}: {error}; repair the file, or leave it out') from error
        expected = tuple(self.annotations.shape[row])
        if picture.shape[:2] != expected:
            raise DataError(
                f'{self.describe(row)} has {picture.shape[0]} x {picture.shape[1]} pixels, and by its '
                f'annotation {expected[0]} x {expected[1]}: they are of different pictures'
            )
        return picture

    def truths(self):
        """Of every example a dict of boxes, label, ignore and area, see `detection.average_precision`."""
        kept = self.annotations
        wanted = ('boxes', 'label', 'ignore', 'area')
        return [
            {name: getattr(kept, name)[self.boxes_of(row)] for name in wanted} for row in range(self.size)
        ]

    def limit_threads(self):
        cv2.setNumThreads(1)


class SquareStream(BoxStream):
    """Each picture resized to a square without keeping its aspect.

    Law: bilinear interpolation at the centres of pixels without antialiasing, OpenCV's, as MMDetection
    resizes; the boxes are multiplied by the new side over the old one along each axis. With `crops`, what is
    resized in training is the window of `box_crop`, drawn from (seed, epoch, row), the mean's colour beyond
    the picture; its interpolation is to 1/32 of a pixel (OpenCV's warpAffine), so that the canvas is never
    made. At a window's edge it reads the picture beyond, where a resized crop would repeat its border.
    """

    def example(self, picture, row, rng):
        height, width = picture.shape[:2]
        side, own = self.view.image_size, self.boxes_of(row)
        boxes, wanted = self.annotations.boxes[own], ~self.annotations.ignore[own]
        window = np.array([0, 0, width, height])
        if rng is not None and self.view.crops:
            window = box_crop.draw(rng, height, width, boxes)
            wanted &= box_crop.centred(boxes, window)
        x0, y0, x1, y1 = window
        scale = np.float32([side / (x1 - x0), side / (y1 - y0)] * 2)
        boxes = np.clip(boxes[wanted], [x0, y0] * 2, [x1, y1] * 2) - [x0, y0] * 2
        label = self.annotations.label[own][wanted]
        return padded(boxes * scale, label, self.most, self.describe(row)) | {
            'images': resized(picture, window, side),
            'size': np.float32([side, side]),
            'scale': scale,
        }


class AspectStream(BoxStream):
    """Each picture resized with its aspect kept, in one of two buckets: wider than high, or not.

    Law: with f = min(longest / max(H, W), shortest / min(H, W)) the new sides are floor(W f + 1/2) and
    floor(H f + 1/2), at least 1, interpolated as in `SquareStream`; the boxes are multiplied by the new side
    over the old one. Below and to the right the image is 0 up to the bucket, whose sides are the next
    multiples of 32.

    An epoch has whole batches of one bucket: each bucket's permutation is filled up from its own beginning,
    as MMDetection's GroupSampler does, and the batches are permuted.

    Source: MMDetection's Resize with keep_ratio, Pad and GroupSampler.
    """

    def _upright(self, row):
        """Whether a picture, or each of them, is not wider than high: the number of its bucket."""
        height, width = self.annotations.shape[row].T
        return width <= height

    def _rows(self, bucket):
        return np.flatnonzero(self._upright(slice(None)) == bool(bucket))

    def steps(self, batch):
        return sum(-(-len(self._rows(bucket)) // batch) for bucket in range(2))

    def order(self, seed, epoch, batch):
        rng, batches = np.random.default_rng((seed, epoch)), []
        for bucket in range(2):
            rows = rng.permutation(self._rows(bucket))
            if len(rows):
                batches.append(np.resize(rows, (-(-len(rows) // batch), batch)))
        return rng.permutation(np.concatenate(batches))

    def eval_order(self, batch):
        rows, valid = [], []
        for own in filter(len, map(self._rows, range(2))):
            places = np.arange(-(-len(own) // batch) * batch).reshape(-1, batch)
            rows.append(own[np.minimum(places, len(own) - 1)])
            valid.append(places < len(own))
        return np.concatenate(rows), np.concatenate(valid)

    def example(self, picture, row, rng):
        height, width = picture.shape[:2]
        factor = min(self.view.longest / max(height, width), self.view.shortest / min(height, width))
        tall, wide = (max(1, int(side * factor + 0.5)) for side in (height, width))
        scale = np.float32([wide / width, tall / height] * 2)
        own = self.boxes_of(row)
        wanted = ~self.annotations.ignore[own]
        boxes, label = self.annotations.boxes[own][wanted] * scale, self.annotations.label[own][wanted]
        images = np.zeros(self.buckets[int(self._upright(row))]['images'][0], np.uint8)
        images[:tall, :wide] = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_LINEAR)
        size = np.float32([tall, wide])
        return padded(boxes, label, self.most, self.describe(row)) | {
            'images': images,
            'size': size,
            'scale': scale,
        }
