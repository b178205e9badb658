"""TFDS directories of the real datasets' own schemas, small enough to write in a test."""

import numpy as np
import tensorflow_datasets as tfds

from resizemix_jax.input import writing


def write(directory, name, sizes, seed=0):
    """Writes dataset `name` as TFDS itself describes it, with `sizes` (split -> examples) random examples."""
    info = tfds.builder(name, data_dir=str(directory)).info
    shape = [side or 20 + 10 * axis for axis, side in enumerate(info.features['image'].shape)]
    rng = np.random.default_rng(seed)
    content = {
        split: (
            rng.integers(0, 256, (size, *shape), np.uint8),
            rng.integers(0, info.features['label'].num_classes, size),
        )
        for split, size in sizes.items()
    }
    writing.write(
        directory,
        name,
        str(info.version),
        info.features,
        {split: examples(info.features, split, *arrays) for split, arrays in content.items()},
    )
    return content


def examples(features, split, images, labels):
    """Examples with every feature of the schema: the CIFARs have an id, cifar100 a superclass."""
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        example = {
            name: f'{split}_{i:05d}' if isinstance(feature, tfds.features.Text) else 0
            for name, feature in features.items()
        }
        yield example | {'image': writing.encode_png(image), 'label': int(label)}
