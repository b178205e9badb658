"""The embedded dataset: a class-balanced sixth of Fashion-MNIST, stored in this package.

The first 1000 training and the first 200 test images of every class, made by tests/datasets/embed.py. The MIT
licence is beside the files.
"""

import pathlib

import numpy as np

from resizemix_jax.datasets import fashion_mnist
from resizemix_jax.input import reading
from resizemix_jax.input.dataset import ImageSplit
from resizemix_jax.ranges import Whole

CLASSES, TRAIN = 10, 10_000


def fashion_mnist_10k(*, train_size=TRAIN):
    """10,000 training images, 2,000 test images for evaluation; nothing to prepare.

    Args:
        train_size: the number of training images, a multiple of the 10 classes; the first of each.

    Raises:
        ValueError: another train_size.
    """
    if not Whole(CLASSES, TRAIN).has(train_size) or train_size % CLASSES:
        raise ValueError(
            f'train_size={train_size} must be a multiple of the {CLASSES} classes, from {CLASSES} to {TRAIN}'
        )
    whole = reading.in_memory(
        'fashion_mnist_10k',
        splits={'train': ('train', TRAIN), 'eval': ('test', 2_000)},
        image_shape=(28, 28, 1),
        num_classes=CLASSES,
        mean=fashion_mnist.MEAN,
        std=fashion_mnist.STD,
        directory=str(pathlib.Path(__file__).parent / 'embedded'),
    )

    def read(split, data_dir):
        found = whole.read(split, data_dir)
        return first_of_every_class(found, train_size // CLASSES) if split == 'train' else found

    return whole._replace(sizes=whole.sizes | {'train': train_size}, reader=read)


def first_of_every_class(split, count):
    """The first `count` examples of every class, in the order of the split."""
    label = split.label
    rows = np.sort(np.concatenate([np.flatnonzero(label == k)[:count] for k in np.unique(label)]))
    return ImageSplit(split.images[rows], label[rows], split.names, split.files)
