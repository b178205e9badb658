"""Random images of any shape, for benchmarks and for trying a network without data."""

import numpy as np

from resizemix_jax.input.dataset import Dataset, ImageSplit, image_arrays
from resizemix_jax.ranges import Several, Whole


def fake(*, image_shape=(32, 32, 3), num_classes=10, train_size=1024, eval_size=256):
    """Uniform random pixels and labels, the same in every run; there is nothing to learn in them.

    Args:
        image_shape: (H, W, C), each 1 to 65536.
        num_classes: K.
        train_size, eval_size: numbers of examples.

    Raises:
        ValueError: a value out of range.
    """
    Several(Whole(1, 2**16), 3).check(image_shape=image_shape)
    Whole(1).check(num_classes=num_classes, train_size=train_size, eval_size=eval_size)
    shape = tuple(image_shape)
    sizes = {'train': train_size, 'eval': eval_size}

    def read(split, data_dir):
        del data_dir
        rng = np.random.default_rng(list(sizes).index(split))
        images = rng.integers(0, 256, (sizes[split], *shape), np.uint8)
        return ImageSplit(images, rng.integers(0, num_classes, sizes[split], np.int32))

    return Dataset(
        name='fake',
        buckets=image_arrays(shape),
        num_classes=num_classes,
        sizes=sizes,
        mean=(0.5,) * shape[2],
        std=(0.25,) * shape[2],
        reader=read,
    )
