"""CIFAR-10 (Krizhevsky, 2009): 32 x 32 colour images of 10 classes; TFDS `cifar10`."""

from resizemix_jax.input import reading

# The released code's constants, used for both CIFARs. The standard deviations are means of each image's
# own (those of the whole dataset are about 0.25); they are in common use.
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2023, 0.1994, 0.2010)


def cifar10():
    """50,000 training images, 10,000 test images for evaluation."""
    return reading.in_memory(
        'cifar10',
        splits={'train': ('train', 50_000), 'eval': ('test', 10_000)},
        image_shape=(32, 32, 3),
        num_classes=10,
        mean=MEAN,
        std=STD,
    )
