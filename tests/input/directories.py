"""TFDS directories of the real datasets' own schemas, small enough to write in a test."""

import numpy as np
import tensorflow_datasets as tfds

from resizemix_jax.input import writing


def write(directory, name, sizes, seed=0):
    """Writes dataset `name` as TFDS itself describes it, with `sizes` (split -> examples) random examples."""
    info = tfds.builder(name, data_dir=str(directory)).info
    shape, classes = info.features['image'].shape, info.features['label'].num_classes
    rng = np.random.default_rng(seed)
    content = {
        split: (rng.integers(0, 256, (size, *shape), np.uint8), rng.integers(0, classes, size))
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
    """Examples with every feature that the schema has: the CIFARs have an id, cifar100 a superclass."""
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        example = {'image': writing.encode_png(image), 'label': int(label)}
        if 'id' in features:
            example['id'] = f'{split}_{i:05d}'
        if 'coarse_label' in features:
            example['coarse_label'] = int(label) % 20
        yield example
