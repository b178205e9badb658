"""The embedded dataset: a class-balanced sixth of Fashion-MNIST, stored in this package.

The first 1000 training and the first 200 test images of every class, made by tests/datasets/embed.py. The MIT
licence is beside the files.
"""

import pathlib

from resizemix_jax.datasets import fashion_mnist
from resizemix_jax.input import reading


def fashion_mnist_10k(*, train_size=10_000):
    """10,000 training images, 2,000 test images for evaluation; nothing to prepare.

    Args:
        train_size: the number of training images, a multiple of the 10 classes; the first of each.

    Raises:
        ValueError: another train_size.
    """
    return reading.in_memory(
        'fashion_mnist_10k',
        splits={'train': ('train', 10_000), 'eval': ('test', 2_000)},
        image_shape=(28, 28, 1),
        num_classes=10,
        mean=fashion_mnist.MEAN,
        std=fashion_mnist.STD,
        directory=str(pathlib.Path(__file__).parent / 'embedded'),
        train_size=train_size,
    )
