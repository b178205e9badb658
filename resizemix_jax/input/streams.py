"""A split that is read and decoded as it is used."""

import logging
from typing import NamedTuple

import cv2
import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input import decoding as decode
from resizemix_jax.input.dataset import Split, image_arrays, permutation
from resizemix_jax.input.records import UNREADABLE

log = logging.getLogger(__name__)

GREY = 128  # what an unreadable image is evaluated as


class View(NamedTuple):
    """How the pictures of a dataset are seen; keywords of the dataset's function.

    Attributes:
        image_size: side of the square that the network sees, pixels.
        eval_resize: what the shorter side becomes for evaluation, before its middle is cut out; 0: 8/7 of
            image_size, as 256 is of 224.
        resize: 'linear' or 'area', see `decode`.
        max_damaged: share of a split's examples that may be unreadable.
    """

    image_size: int
    eval_resize: int
    resize: str
    max_damaged: float

    @property
    def image_shape(self):
        """(H, W, 3) of the images that the network sees."""
        return (self.image_size, self.image_size, 3)

    def checked(self):
        """Itself, with eval_resize worked out.

        Raises:
            ValueError: a number that cannot be.
        """
        size, eval_resize = self.image_size, self.eval_resize or round(self.image_size * 256 / 224)
        if size < 1:
            raise ValueError(f'image_size={size} must be >= 1')
        if eval_resize < size:
            raise ValueError(f'eval_resize={eval_resize} must be >= image_size={size}, or 0 for 8/7 of it')
        if self.resize not in decode.RESIZE:
            raise ValueError(f'resize={self.resize!r} must be one of: {", ".join(decode.RESIZE)}')
        if not 0 <= self.max_damaged < 1:
            raise ValueError(f'max_damaged={self.max_damaged} must be >= 0 and < 1')
        return self._replace(eval_resize=eval_resize)


class Damage(NamedTuple):
    """An example that cannot be read."""

    row: int
    file: str
    reason: str


class Stream(Split):
    """A split whose images are read and decoded as they are used."""

    streamed = True

    def __init__(self, title, records, names, num_classes, view):
        """`title` says in messages what it is, `records` is of `data.records`, `view` a checked View."""
        self.title, self.records, self.names, self.num_classes = title, records, names, num_classes
        self.view = view
        self.damaged = {}  # row -> Damage

    @property
    def size(self):
        """N, how many examples there are."""
        return self.records.size

    @property
    def buckets(self):
        """One: images and label."""
        return image_arrays(self.view.image_shape)

    def batch(self, rows, draw):
        """The examples `rows`, an index array [B]: dict of images uint8 [B, H, W, 3] and label int32 [B].

        Args:
            draw: (seed, epoch), from which and from its row alone the crop of an example is drawn; None for
                evaluation.

        An example that cannot be read is noted. In training the next one of the epoch's order that can be
        read takes its place, cropped as it is cropped in its own; in evaluation a grey image does.

        Raises:
            DataError: more of them are damaged than may be.
        """
        images = np.empty((len(rows), *self.view.image_shape), np.uint8)
        label = np.empty(len(rows), np.int32)
        damaged = []
        for i, row in enumerate(rows):
            images[i], label[i] = self._example(int(row), draw, damaged)
        if damaged:
            self.note(damaged)
        return {'images': images, 'label': label}

    def note(self, damaged):
        """Counts examples that cannot be read, each once, and warns of them; raises DataError as `batch`."""
        most = int(self.view.max_damaged * self.size)
        for one in damaged:
            if one.row in self.damaged:
                continue
            self.damaged[one.row] = one
            text = f'example {one.row}, in {one.file}, cannot be read: {one.reason}'
            log.warning('%s: %s (%d damaged so far)', self.title, text, len(self.damaged))
            if len(self.damaged) > most:
                raise DataError(
                    f'{self.title}: {len(self.damaged)} of {self.size} examples cannot be read, and '
                    f'max_damaged={self.view.max_damaged} allows {most}; the last: {text}. Copy or prepare '
                    'the data again, or allow more with --config.dataset_args.max_damaged=SHARE'
                )

    def limit_threads(self):
        """Limits OpenCV to one thread: the other cores are for other processes."""
        cv2.setNumThreads(1)

    def _example(self, row, draw, damaged):
        try:
            return self._read(row, draw)
        except UNREADABLE as error:
            damaged.append(self._damage(row, error))
        if draw is None:
            return GREY, self._label(row)
        for other in _order_after(*draw, self.size, row):
            try:
                return self._read(other, draw)
            except UNREADABLE as error:
                damaged.append(self._damage(other, error))
        raise DataError(f'{self.title}: not one of {self.size} examples can be read: {damaged[0].reason}')

    def _read(self, row, draw):
        data, label = self.records.read(row)
        if not 0 <= label < self.num_classes:
            raise ValueError(f'its label {label} is not in 0..{self.num_classes - 1}')
        view = self.view
        if draw is None:
            return decode.eval_image(data, view.image_size, view.eval_resize, view.resize), label
        rng = np.random.default_rng((*draw, row))
        return decode.train_image(data, view.image_size, rng, view.resize), label

    def _label(self, row):
        """Of an example whose image is damaged; 0 if nothing of it can be read."""
        try:
            label = self.records.read(row)[1]
        except UNREADABLE:
            return 0
        return label if 0 <= label < self.num_classes else 0

    def _damage(self, row, error):
        return Damage(row, self.records.file(row), str(error).partition('\n')[0])


def _order_after(seed, epoch, size, row):
    """The examples that follow `row` in an epoch, around to the one before it: int64 [size - 1]."""
    order = permutation(seed, epoch, size)
    return np.roll(order, -np.flatnonzero(order == row)[0])[1:]
