"""What the trainer knows of a dataset, and what reading a split of it gives."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Split(NamedTuple):
    """A split in memory: images uint8 [N, H, W, C], label int32 [N], and the names of the classes, or ().

    A split that is streamed, `stream.Stream`, has `size`, `names` and `batch` as well.
    """

    images: np.ndarray
    label: np.ndarray
    names: tuple = ()

    @property
    def size(self):
        """N, how many examples there are."""
        return len(self.label)

    def batch(self, rows, draw):
        """The examples `rows`, an index array [B]: dict of images uint8 [B, H, W, C] and label int32 [B].

        `draw`, ints that a random crop is drawn by, or None for evaluation, is for splits that crop while
        they decode; here cropping is the step's.
        """
        del draw
        return {'images': self.images[rows], 'label': self.label[rows]}


class Dataset(NamedTuple):
    """A dataset, unopened.

    Attributes:
        name: as in the config.
        image_shape: (H, W, C) of the images the network sees.
        num_classes: K.
        train_size, eval_size: how many examples the two splits hold.
        mean, std: of each channel, for images scaled to [0, 1].
        read: (split, data_dir) -> Split, where split is 'train' or 'eval'; raises DataError.
        streamed: whether that is a `stream.Stream`, decoded as it is used.
    """

    name: str
    image_shape: tuple
    num_classes: int
    train_size: int
    eval_size: int
    mean: tuple
    std: tuple
    read: Callable
    streamed: bool = False
