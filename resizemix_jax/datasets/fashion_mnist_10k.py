"""The embedded dataset: a class-balanced sixth of Fashion-MNIST, stored in this package.

The first 1000 training and the first 200 test images of every class, made by tests/datasets/embed.py. The MIT
licence is beside the files.
"""

import pathlib
from dataclasses import replace

import numpy as np

from resizemix_jax.datasets import fashion_mnist
from resizemix_jax.input import reading
from resizemix_jax.input.dataset import image_arrays
from resizemix_jax.ranges import Whole

STORED = 28  # pixels of a side


def fashion_mnist_10k(*, train_size=10_000, image_size=28):
    """10,000 training images, 2,000 test images for evaluation; nothing to prepare.

    Args:
        train_size: the number of training images, a multiple of the 10 classes; the first of each.
        image_size: pixels, 28 to 256; pixel (i, j) is the stored one at floor(28 i / image_size), likewise j.

    Raises:
        ValueError: another train_size, or an image_size out of range.
    """
    Whole(STORED, 256).check('dataset_args.', image_size=image_size)
    dataset = reading.in_memory(
        'fashion_mnist_10k',
        splits={'train': ('train', 10_000), 'eval': ('test', 2_000)},
        image_shape=(STORED, STORED, 1),
        num_classes=10,
        mean=fashion_mnist.MEAN,
        std=fashion_mnist.STD,
        directory=str(pathlib.Path(__file__).parent / 'embedded'),
        train_size=train_size,
    )
    return dataset if image_size == STORED else _enlarged(dataset, image_size)


def _enlarged(dataset, size):
    at = np.arange(size) * STORED // size

    def read(split, data_dir):
        found = dataset.reader(split, data_dir)
        return replace(found, images=found.images[:, at][:, :, at])

    return dataset._replace(buckets=image_arrays((size, size, 1)), reader=read)
