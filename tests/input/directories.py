"""TFDS directories of the real datasets' own schemas, and IDX files, small enough to write in a test."""

import gzip

import numpy as np
import tensorflow_datasets as tfds

from resizemix_jax.input import idx, writing


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


def write_idx(directory, split, size):
    """Writes the two packed IDX files of a split of Fashion-MNIST; returns their arrays."""
    images = np.random.default_rng(size).integers(0, 256, (size, 28, 28), np.uint8)
    label = np.arange(size, dtype=np.uint8) % 10
    for part, array in zip(idx.PARTS, (images, label), strict=True):
        path = directory / f'{idx.PREFIXES[split]}-{part}.gz'
        path.write_bytes(gzip.compress(encode_idx(array)))
    return images, label


def encode_idx(array):
    """A uint8 array as the bytes of an IDX file."""
    lengths = np.array(array.shape, '>i4').tobytes()
    return bytes((0, 0, idx.UNSIGNED_BYTE, array.ndim)) + lengths + array.tobytes()
