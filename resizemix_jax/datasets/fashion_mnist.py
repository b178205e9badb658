"""Fashion-MNIST (Xiao et al., 2017): 28 x 28 grey images of 10 classes of clothing; TFDS `fashion_mnist`."""

from resizemix_jax.input import reading

MEAN = (0.2860,)
STD = (0.3530,)


def fashion_mnist(*, train_size=60_000):
    """60,000 training images, 10,000 test images for evaluation.

    Args:
        train_size: the number of training images, a multiple of the 10 classes; the first of each.

    Raises:
        ValueError: another train_size.
    """
    return reading.in_memory(
        'fashion_mnist',
        splits={'train': ('train', 60_000), 'eval': ('test', 10_000)},
        image_shape=(28, 28, 1),
        num_classes=10,
        mean=MEAN,
        std=STD,
        train_size=train_size,
    )
