"""What the trainer knows about a dataset, and what a split of it can do.

Batches have a fixed shape, or one of several: the buckets. A bucket describes the arrays of one example,
without the batch axis: a dict name -> (shape, dtype). All rows of a batch belong to one bucket. Image
classification has a single bucket (`image_arrays`); detection may have one for each image size, its boxes
padded to a fixed number.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from resizemix_jax.errors import DataError


class Dataset(NamedTuple):
    """A dataset, unopened.

    Attributes:
        name: as in the config.
        buckets: tuple of dicts name -> (shape, dtype), the arrays of one example of each bucket.
        num_classes: K.
        sizes: dict split name -> number of examples: 'train', 'eval', and others where there are.
        mean, std: of each channel, for images scaled to [0, 1].
        reader: (split name, data_dir) -> Split; may raise DataError. Call it through `read`.
        streamed: whether the splits are decoded while they are used, see `Split.streamed`.
        labels: dict split name -> (label int [N], names of the classes or ()), of those whose labels are
            known before they are read.
        undivided: why no part of the training examples can be held out, and what to do instead, a sentence;
            '' if it can, see `held_out`.
    """

    name: str
    buckets: tuple
    num_classes: int
    sizes: Mapping
    mean: tuple
    std: tuple
    reader: Callable
    streamed: bool = False
    labels: Mapping = MappingProxyType({})
    undivided: str = ''

    @property
    def splits(self):
        """The names of the splits, a tuple."""
        return tuple(self.sizes)

    @property
    def image_shape(self):
        """(H, W, C) of the images of the first bucket."""
        return self.buckets[0]['images'][0]

    def batches(self, size):
        """The shapes of a batch of `size` examples: a tuple of dicts name -> `jax.ShapeDtypeStruct`, one for
        each bucket."""
        import jax  # here, since worker processes import this file and not JAX

        return tuple(
            {name: jax.ShapeDtypeStruct((size, *shape), dtype) for name, (shape, dtype) in bucket.items()}
            for bucket in self.buckets
        )

    def read(self, split, data_dir):
        """Opens a split.

        Args:
            split: one of `splits`.
            data_dir: see `reading.data_directory`.

        Returns:
            A Split.

        Raises:
            DataError: there is no such split, it cannot be read, or its arrays are not those of `buckets`.
        """
        if split not in self.sizes:
            raise DataError(f'{self.name} has no split {split!r}; it has: {", ".join(self.splits)}')
        opened = self.reader(split, data_dir)
        if opened.buckets != self.buckets:
            raise DataError(
                f'{self.name}: the examples of {split!r} are {_described(opened.buckets)}, and the dataset '
                f'promises {_described(self.buckets)}'
            )
        return opened


class Split:
    """A split of a dataset. A subclass defines `size`, `buckets` and `batch`; the rest has defaults.

    Attributes:
        size: N, the number of examples; rows are 0..N-1.
        buckets: as those of its Dataset.
        names: of the classes, or ().
        files: (name, bytes) of each file that it is read from, which tells it from other data; or ().
        streamed: whether `batch` decodes, so that worker processes are worth it. They get a pickled copy.
        label: int [N], the class of each example, where it is known without decoding and `part` is defined;
            or None.
        parent_rows: of a part, int [N], the rows that it has of the split that was divided; or None.
    """

    size: int
    buckets: tuple
    names = ()
    files = ()
    streamed = False
    label: np.ndarray | None = None
    parent_rows: np.ndarray | None = None

    def batch(self, rows, draw):
        """The examples `rows`, an index array [B] within one bucket: dict of the bucket's arrays, [B, ...].

        Args:
            rows: int [B].
            draw: (seed, epoch), from which and from its row alone the randomness of an example is drawn, e.g.
                its crop; None for evaluation.
        """
        raise NotImplementedError

    def part(self, rows):
        """The split of the examples `rows`, an index array [n], alone: nothing of the others is ever read."""
        raise NotImplementedError

    def steps(self, batch):
        """The number of training batches of `batch` examples in an epoch, the same in all epochs."""
        return self.size // batch

    def order(self, seed, epoch, batch):
        """The rows of the training batches of an epoch, int [steps, batch]; each row of them in one bucket.

        The default visits every example once, less an incomplete last batch.
        """
        steps = self.steps(batch)
        return permutation(seed, epoch, self.size)[: steps * batch].reshape(steps, batch)

    def eval_order(self, batch):
        """The evaluation batches: (rows int [n, batch], valid bool [n, batch]), every row valid exactly once.

        What is not valid fills up a batch. The default is 0..N-1, the last batch filled with the last row.
        """
        rows = np.arange(-(-self.size // batch) * batch).reshape(-1, batch)
        return np.minimum(rows, self.size - 1), rows < self.size

    def add_damaged(self, examples):
        """Counts examples that `batch` could not read; `batch` calls it.

        Args:
            examples: a list; of what is up to the subclass.

        In a worker process it is replaced: what `batch` passes to it there reaches the split in this process.
        """

    def reading(self, row):
        """Told by `batch` which example it reads next, to name it if the process dies or hangs there.

        As `add_damaged`, it is replaced in a worker process. Without it, all rows of the part are named.
        """

    def describe(self, row):
        """An example in words, for messages."""
        return f'example {row}'

    def limit_threads(self):
        """Limits `batch` to one thread; called once in every worker process."""


@dataclass(frozen=True, eq=False)
class ImageSplit(Split):
    """A split for image classification in memory: images uint8 [N, H, W, C], label int32 [N].

    Images are stored as they are: cropping is the step's.
    """

    images: np.ndarray
    label: np.ndarray
    names: tuple = ()
    files: tuple = ()
    parent_rows: np.ndarray | None = None

    @property
    def size(self):
        """N, the number of examples."""
        return len(self.label)

    @property
    def buckets(self):
        """One: images and label."""
        return image_arrays(self.images.shape[1:])

    def batch(self, rows, draw):
        """The examples `rows`: dict of images uint8 [B, H, W, C] and label int32 [B]."""
        del draw
        return {'images': self.images[rows], 'label': self.label[rows]}

    def part(self, rows):
        """The examples `rows` alone, copied, so that the whole need not stay in memory."""
        return replace(self, images=self.images[rows], label=self.label[rows], parent_rows=rows)


def image_arrays(image_shape):
    """The buckets of image classification: a single one of images uint8 (H, W, C) and label int32."""
    return ({'images': (tuple(image_shape), np.dtype(np.uint8)), 'label': ((), np.dtype(np.int32))},)


def bucket_of(batch, buckets):
    """The index of the bucket that a batch is of.

    Raises:
        DataError: of none; names the arrays.
    """
    found = {name: (array.shape[1:], array.dtype) for name, array in batch.items()}
    if found not in buckets:
        raise DataError(
            f'a batch has {_described([found])} an example, and the buckets of its split are '
            f'{_described(buckets)}'
        )
    return buckets.index(found)


@functools.lru_cache(maxsize=2)
def permutation(seed, epoch, size):
    """The default order of the examples in an epoch, int64 [size]."""
    return np.random.default_rng((seed, epoch)).permutation(size)


def _described(buckets):
    return ' or '.join(
        ', '.join(f'{name} {np.dtype(dtype)}{list(shape)}' for name, (shape, dtype) in bucket.items())
        for bucket in buckets
    )
