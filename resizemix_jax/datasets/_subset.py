"""A dataset with fewer training examples."""

import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import ImageSplit
from resizemix_jax.ranges import Whole


def shortened(dataset, train_size):
    """The dataset with `train_size` training examples, the first of every class.

    Args:
        dataset: `input.dataset.Dataset` in memory, its training split as many examples of each class.
        train_size: a multiple of the number of classes; all of them return the dataset as it is.

    Raises:
        ValueError: another train_size.
    """
    classes, whole = dataset.num_classes, dataset.sizes['train']
    if not Whole(classes, whole).has(train_size) or train_size % classes:
        raise ValueError(
            f'train_size={train_size} must be a multiple of the {classes} classes, from {classes} to {whole}'
        )
    if train_size == whole:
        return dataset

    def read(split, data_dir):
        found = dataset.reader(split, data_dir)
        return first_of_every_class(found, train_size // classes) if split == 'train' else found

    return dataset._replace(sizes={**dataset.sizes, 'train': train_size}, reader=read)


def first_of_every_class(split, count):
    """The first `count` examples of every class, in their order; DataError if a class has fewer."""
    label = split.label
    if np.bincount(label)[np.unique(label)].min() < count:
        raise DataError(f'a class has fewer than the {count} training examples that are wanted of each')
    rows = np.sort(np.concatenate([np.flatnonzero(label == k)[:count] for k in np.unique(label)]))
    return ImageSplit(split.images[rows], label[rows], split.names, split.files)
