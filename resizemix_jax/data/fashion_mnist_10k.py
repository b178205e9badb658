"""The embedded dataset: a class-balanced sixth of Fashion-MNIST that lies in this package.

The first 1000 training and the first 200 test images of every class, made by data/embed.py; MIT licence,
beside the files.
"""

import pathlib

from resizemix_jax.data import fashion_mnist, reading


def fashion_mnist_10k():
    """10,000 training images, 2,000 test images for evaluation; nothing to prepare."""
    return reading.in_memory(
        'fashion_mnist_10k',
        splits={'train': ('train', 10_000), 'eval': ('test', 2_000)},
        image_shape=(28, 28, 1),
        num_classes=10,
        mean=fashion_mnist.MEAN,
        std=fashion_mnist.STD,
        directory=str(pathlib.Path(__file__).parent / 'embedded'),
    )
