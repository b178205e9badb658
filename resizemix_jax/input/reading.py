"""Reads prepared TFDS directories; no TensorFlow, no network, nothing is ever prepared here."""

import logging
import os
import pathlib

import cv2
import numpy as np

from resizemix_jax.errors import DataError, local
from resizemix_jax.input import records
from resizemix_jax.input.dataset import Dataset, ImageSplit, image_arrays

log = logging.getLogger(__name__)

FORMATS = ('array_record', 'tfrecord')


def data_directory(data_dir):
    """The directory of the datasets: `data_dir`, or else $TFDS_DATA_DIR, or else ~/tensorflow_datasets.

    Raises:
        ConfigError: see `errors.local`.
    """
    chosen = data_dir or os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets'
    return local(chosen, '--config.data_dir' if data_dir else 'TFDS_DATA_DIR')


def in_memory(name, *, splits, image_shape, num_classes, mean, std, source='', directory='', command=''):
    """The Dataset `name`, decoded into memory from a TFDS directory.

    Args:
        name: in the config.
        splits: split name -> (the split's name in TFDS, the published number of examples).
        image_shape: (H, W, C), the same for all images.
        num_classes: K.
        mean, std: of each channel, for images scaled to [0, 1].
        source: the dataset's name in TFDS; '' is `name`.
        directory: where it always is; '' is the reader's `data_dir`.
        command: the command that makes it, for messages; '' is `prepare_command`.
    """

    def read(split, data_dir):
        tfds_split, size = splits[split]
        root = data_directory(directory or data_dir)
        examples, names = open_examples(source or name, tfds_split, size, root, num_classes, command)
        images, label = _decode_all(examples)
        if not 0 <= label.min() <= label.max() < num_classes:
            raise DataError(
                f'{name}: labels of {tfds_split!r} are in {label.min()}..{label.max()}, not '
                f'0..{num_classes - 1}'
            )
        return ImageSplit(images, label, names, examples.files)

    return Dataset(
        name=name,
        buckets=image_arrays(image_shape),
        num_classes=num_classes,
        sizes={split: size for split, (_, size) in splits.items()},
        mean=mean,
        std=std,
        reader=read,
    )


def open_examples(source, split, size, root, num_classes, command=''):
    """The encoded examples of a split of an image classification dataset of TFDS.

    Args:
        source, split: in TFDS.
        size: the published number of examples; another number is a warning.
        root: a `pathlib.Path`, see `data_directory`.
        num_classes: K.
        command: the command that makes the dataset, for messages; '' is `prepare_command`.

    Returns:
        (examples, names): of `records`, and the names of the classes, a tuple.

    Raises:
        DataError: it is missing, incomplete, in another format, or has other features or classes.
    """
    builder = open_split(source, split, root, command)
    image, label = features_of(builder, source)
    found = builder.info.features[label]
    if found.num_classes != num_classes:
        raise DataError(f'{source}: {builder.data_dir} has {found.num_classes} classes, not {num_classes}')
    examples = records.of_tfds(builder, split, (image, label))
    if examples.size != size:
        log.warning('%s: %r has %d examples, the published dataset %d', source, split, examples.size, size)
    return examples, tuple(found.names or ())


def open_split(source, split, root, command=''):
    """The TFDS builder of a dataset below `root`, after checking that all files of `split` are there.

    Args:
        As `open_examples`.

    Raises:
        DataError: it is missing, incomplete, or in another format.
    """
    command = command or prepare_command(source, root)
    builder = open_builder(source, root, command)
    _check_files(builder, source, split, command)
    return builder


def prepare_command(source, root):
    """The command that prepares a dataset of TFDS."""
    return f'python -m resizemix_jax.prepare {source} --data_dir={root}'


def open_builder(source, root, command):
    """The TFDS builder of the newest version of a dataset below `root`; raises DataError if there is none."""
    # TFDS and its readers take most of a second to import; only a process that reads pays for it.
    import tensorflow_datasets as tfds

    versions = [p.parent for p in root.glob(f'{source}/*/dataset_info.json')]
    if not versions:
        raise DataError(
            f'{source} is not prepared in {root}. Prepare it with:\n    {command}\n'
            'or name the directory that has it: --config.data_dir=DIR, or TFDS_DATA_DIR=DIR'
        )
    newest = max(versions, key=lambda p: tuple(int(n) for n in p.name.split('.')))
    return tfds.builder_from_directory(newest)


def features_of(builder, source):
    """The names of the image and the label in the examples of a TFDS dataset.

    Raises:
        DataError: it does not have both.
    """
    import tensorflow_datasets as tfds

    features = builder.info.features
    chosen = builder.info.supervised_keys or ('image', 'label')
    kinds = tfds.features.Image, tfds.features.ClassLabel
    if len(chosen) != 2 or not all(
        name in features and isinstance(features[name], kind)
        for name, kind in zip(chosen, kinds, strict=True)
    ):
        found = ', '.join(f'{name} ({type(features[name]).__name__})' for name in sorted(features))
        raise DataError(f'{source}: expected an image feature and a class label; found {found}')
    return tuple(chosen)


def _decode_all(examples):
    """(images uint8 [N, H, W, C], label int32 [N]); raises DataError if they differ in shape."""
    first = _decode(examples, 0)[0]
    images = np.empty((examples.size, *first.shape), np.uint8)
    label = np.empty(examples.size, np.int32)
    for row in range(examples.size):
        image, label[row] = _decode(examples, row)
        if image.shape != first.shape:
            raise DataError(
                f'example {row}, in {examples.file(row)}, has an image of shape {image.shape}, and the first '
                f'one has {first.shape}; a dataset in memory needs images of one shape'
            )
        images[row] = image
    return images, label


def _decode(examples, row):
    """(image uint8 [H, W, C] as it is stored, label); raises DataError."""
    try:
        data, label = examples.read(row)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise ValueError('the picture cannot be decoded')
    except (*records.UNREADABLE, cv2.error) as error:
        raise DataError(f'example {row}, in {examples.file(row)}, cannot be read: {error}') from error
    if image.ndim == 2:
        return image[..., None], label
    return image[..., ::-1], label  # OpenCV's order is blue, green, red


def _check_files(builder, source, split, command):
    """Raises DataError unless every shard of the split is there, in a format that can be read."""
    info = builder.info
    if info.file_format.value not in FORMATS:
        raise DataError(
            f'{source}: {builder.data_dir} is in the format {info.file_format.value}; this trainer reads '
            f'{" and ".join(FORMATS)}. Prepare a copy elsewhere:\n    {prepare_command(source, "OTHER_DIR")}'
        )
    if split not in info.splits:
        raise DataError(f'{source}: {builder.data_dir} has no split {split!r}; it has {list(info.splits)}')
    files = [pathlib.Path(p) for p in info.splits[split].filepaths]
    missing = [f.name for f in files if not f.exists()]
    if missing:
        raise DataError(
            f'{source}: {len(missing)} of the {len(files)} files of {split!r} are missing in '
            f'{builder.data_dir}: {", ".join(missing[:3])}{", ..." if len(missing) > 3 else ""}. '
            f'Copy them there, or delete that directory and prepare it again:\n'
            f'    {command}'
        )
