"""Datasets that are streamed: their pictures are read and decoded while they are used."""

import logging
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np

from resizemix_jax.errors import DataError, first_line
from resizemix_jax.input import decoding, reading
from resizemix_jax.input.dataset import Dataset, Split, image_arrays, permutation
from resizemix_jax.input.records import UNREADABLE
from resizemix_jax.input.resizing import RESIZE
from resizemix_jax.ranges import Choice, Number, Whole

log = logging.getLogger(__name__)

# Of ImageNet's pixels; the usual constants for other photographs, too.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
GREY = 128  # the pixels that an unreadable image is replaced with for evaluation


class View(NamedTuple):
    """How pictures become the images that the network sees; keywords of a dataset's function.

    Attributes:
        image_size: side of the square that the network sees, pixels.
        eval_resize: length of the shorter side before the middle is cut out for evaluation; 0: 8/7 of
            image_size, as 256 is of 224.
        resize: 'antialias', 'dali', 'linear' or 'area', see `resizing`.
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
            ValueError: a value out of range.
        """
        Whole(1, 2**16).check(image_size=self.image_size)
        Whole(0, 2**16).check(eval_resize=self.eval_resize)
        Number(0, 1, '[)').check(max_damaged=self.max_damaged)
        size, eval_resize = self.image_size, self.eval_resize or round(self.image_size * 256 / 224)
        if eval_resize < size:
            raise ValueError(f'eval_resize={eval_resize} must be >= image_size={size}, or 0 for 8/7 of it')
        Choice(*RESIZE).check(resize=self.resize)
        return self._replace(eval_resize=eval_resize)


def streamed(name, *, splits, num_classes, view, source=''):
    """The Dataset `name`, streamed from a TFDS directory.

    Args:
        name: in the config.
        splits: split name -> (the split's name in TFDS, the published number of examples).
        num_classes: K.
        view: `View`.
        source: the dataset's name in TFDS; '' is `name`.

    Raises:
        ValueError: a keyword of the view is out of range.
    """
    view = view.checked()

    def read(split, data_dir):
        tfds_split, size = splits[split]
        root = reading.data_directory(data_dir)
        examples, names = reading.open_examples(source or name, tfds_split, size, root, num_classes)
        return Stream(f'{name} {tfds_split}', examples, names, num_classes, view)

    sizes = {split: size for split, (_, size) in splits.items()}
    made = described(name, num_classes, sizes, view, read)
    return made._replace(undivided=_undivided(source or name, splits))


def _undivided(source, splits):
    """Why no part of a set in records can be held out by class, and the slices to name instead."""
    train, test = (splits[split][0] for split in ('train', 'eval'))
    if '[' in train:
        reason = f'its classes are not known without reading all records of {train}, a slice already'
        return f'{reason}; set held_out=0'
    return (
        f'the classes of {source} are not known without reading all its records. Set held_out=0 and evaluate '
        f"on a slice, e.g. '--config.dataset=tfds:{source}:{train}[:90%]:{train}[90%:]'; at the end measure "
        f"with --mode=evaluate and '--config.dataset=tfds:{source}:{train}:{test}'"
    )


def described(name, num_classes, sizes, view, reader, labels=MappingProxyType({})):
    """The Dataset of a `reader` that returns a `Stream`, see `dataset.Dataset`; `view` is checked."""
    return Dataset(
        name=name,
        buckets=image_arrays(view.image_shape),
        num_classes=num_classes,
        sizes=sizes,
        mean=MEAN,
        std=STD,
        reader=reader,
        streamed=True,
        labels=labels,
    )


class DamagedExample(NamedTuple):
    """An example that cannot be read."""

    row: int
    file: str
    reason: str


class Stream(Split):
    """A split whose pictures are read and decoded while they are used."""

    streamed = True

    def __init__(self, title, records, names, num_classes, view):
        """`title` names the split in messages, `records` is of `input.records`, `view` a checked View."""
        self.title, self.records, self.names, self.num_classes = title, records, names, num_classes
        self.view = view
        self.damaged = {}  # row -> DamagedExample
        self.parent_rows = None

    @property
    def label(self):
        """int [N], of pictures in folders; None where it is in the records."""
        return getattr(self.records, 'label', None)

    def part(self, rows):
        """The pictures `rows` alone: those that take a damaged one's place are of the same part, too."""
        part = Stream(self.title, self.records.part(rows), self.names, self.num_classes, self.view)
        part.parent_rows = rows
        return part

    @property
    def size(self):
        """N, the number of examples."""
        return self.records.size

    @property
    def files(self):
        """(name, bytes) of each file, a tuple."""
        return self.records.files

    @property
    def buckets(self):
        """One: images and label."""
        return image_arrays(self.view.image_shape)

    def batch(self, rows, draw):
        """The examples `rows`, an index array [B]: dict of images uint8 [B, H, W, 3] and label int32 [B].

        Args:
            rows: int [B].
            draw: (seed, epoch), from which and from its row alone the crop of an example is drawn; None for
                evaluation.

        An example that cannot be read is counted. In training it is replaced with the next one of the epoch's
        order that can be read, cropped as that one is in its own place; in evaluation with a grey image.

        Raises:
            DataError: more examples are damaged than `max_damaged` allows.
        """
        images = np.empty((len(rows), *self.view.image_shape), np.uint8)
        label = np.empty(len(rows), np.int32)
        damaged = []
        for i, row in enumerate(rows):
            images[i], label[i] = self._example(int(row), draw, damaged)
        if damaged:
            self.add_damaged(damaged)
        return {'images': images, 'label': label}

    def add_damaged(self, examples):
        """Counts damaged examples, each once, and warns of them; raises DataError as `batch`."""
        most = int(self.view.max_damaged * self.size)
        for example in examples:
            if example.row in self.damaged:
                continue
            self.damaged[example.row] = example
            text = f'{self.describe(example.row)}, cannot be read: {example.reason}'
            log.warning('%s: %s (%d damaged so far)', self.title, text, len(self.damaged))
            if len(self.damaged) > most:
                raise DataError(
                    f'{self.title}: {len(self.damaged)} of {self.size} examples cannot be read, and '
                    f'max_damaged={self.view.max_damaged} allows {most}; the last: {text}. Copy or prepare '
                    'the data again, or allow more with --config.dataset_args.max_damaged=SHARE'
                )

    def describe(self, row):
        """An example and its file, for messages."""
        return f'example {row}, in {self.records.file(row)}'

    def limit_threads(self):
        """Limits OpenCV to one thread: the other cores are for other worker processes."""
        cv2.setNumThreads(1)

    def _example(self, row, draw, damaged):
        try:
            return self._read(row, draw)
        except UNREADABLE as error:
            damaged.append(self._damaged(row, error))
        if draw is None:
            return GREY, self._label(row)
        for other in _order_after(*draw, self.size, row):
            try:
                return self._read(other, draw)
            except UNREADABLE as error:
                damaged.append(self._damaged(other, error))
        raise DataError(f'{self.title}: none of {self.size} examples can be read: {damaged[0].reason}')

    def _read(self, row, draw):
        self.reading(row)
        data, label = self.records.read(row)
        if not 0 <= label < self.num_classes:
            raise ValueError(f'its label {label} is not in 0..{self.num_classes - 1}')
        view = self.view
        if draw is None:
            return decoding.eval_image(data, view.image_size, view.eval_resize, view.resize), label
        rng = np.random.default_rng((*draw, row))
        return decoding.train_image(data, view.image_size, rng, view.resize), label

    def _label(self, row):
        """The label of an example whose image is damaged; 0 if its label cannot be read either."""
        try:
            label = self.records.read(row)[1]
        except UNREADABLE:
            return 0
        return label if 0 <= label < self.num_classes else 0

    def _damaged(self, row, error):
        return DamagedExample(row, self.records.file(row), first_line(error))


def _order_after(seed, epoch, size, row):
    """The examples that follow `row` in an epoch, around to the one before it: int64 [size - 1]."""
    order = permutation(seed, epoch, size)
    return np.roll(order, -np.flatnonzero(order == row)[0])[1:]
