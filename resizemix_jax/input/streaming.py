"""Datasets that are streamed: of TFDS, or of folders of pictures."""

import logging

from resizemix_jax.errors import DataError
from resizemix_jax.input import reading, records
from resizemix_jax.input.dataset import Dataset, image_arrays
from resizemix_jax.input.streams import Stream

log = logging.getLogger(__name__)

# Of ImageNet's pixels, as everyone uses them, for other photographs too.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def dataset(name, *, source, splits, num_classes, view):
    """The Dataset of a TFDS directory, streamed.

    Args:
        name: in the config.
        source: its name in TFDS.
        splits: 'train' and 'eval' -> (the split's name in TFDS, the published number of examples).
        num_classes: K.
        view: `stream.View`.

    Raises:
        ValueError: a keyword of the view that cannot be.
    """
    view = view.checked()

    def read(split, data_dir):
        tfds_split, size = splits[split]
        root = reading.data_directory(data_dir)
        builder = reading.open_split(source, tfds_split, root)
        image, label = features_of(builder, source)
        found = builder.info.features[label]
        if found.num_classes != num_classes:
            raise DataError(
                f'{source}: {builder.data_dir} has {found.num_classes} classes, not {num_classes}'
            )
        examples = records.of_tfds(builder, tfds_split, (image, label))
        if examples.size != size:
            log.warning(
                '%s: %r has %d examples, the published dataset %d', name, tfds_split, examples.size, size
            )
        return Stream(f'{name} {tfds_split}', examples, tuple(found.names or ()), num_classes, view)

    return described(name, num_classes, {split: size for split, (_, size) in splits.items()}, view, read)


def described(name, num_classes, sizes, view, reader):
    """The Dataset of a streamed `reader`, see `dataset.Dataset`; `view` is checked."""
    return Dataset(
        name=name,
        buckets=image_arrays(view.image_shape),
        num_classes=num_classes,
        sizes=sizes,
        mean=MEAN,
        std=STD,
        reader=reader,
        streamed=True,
    )


def features_of(builder, source):
    """The names of the image and the label in the examples of a TFDS dataset.

    Raises:
        DataError: it has no image with one label.
    """
    import tensorflow_datasets as tfds

    features = builder.info.features
    chosen = builder.info.supervised_keys or ('image', 'label')
    kinds = tfds.features.Image, tfds.features.ClassLabel
    if len(chosen) != 2 or not all(
        name in features and isinstance(features[name], kind)
        for name, kind in zip(chosen, kinds, strict=True)
    ):
        raise DataError(f'{source}: its examples are no images with a label each, but {sorted(features)}')
    return tuple(chosen)
