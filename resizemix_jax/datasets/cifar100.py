"""CIFAR-100 (Krizhevsky, 2009): 32 x 32 colour images of 100 classes; TFDS `cifar100`."""

from resizemix_jax.datasets import cifar10
from resizemix_jax.input import reading


def cifar100():
    """50,000 training images, 10,000 test images for evaluation."""
    return reading.in_memory(
        'cifar100',
        splits={'train': ('train', 50_000), 'eval': ('test', 10_000)},
        image_shape=(32, 32, 3),
        num_classes=100,
        mean=cifar10.MEAN,
        std=cifar10.STD,
    )
