"""Reads a prepared TFDS directory into memory; no TensorFlow, no network, nothing is ever prepared here."""

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
    """Where datasets are: `data_dir`, or else $TFDS_DATA_DIR, or else ~/tensorflow_datasets.

    Raises:
        ConfigError: see `errors.local`.
    """
    chosen = data_dir or os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets'
    return local(chosen, '--config.data_dir' if data_dir else 'TFDS_DATA_DIR').expanduser()


def in_memory(name, *, splits, image_shape, num_classes, mean, std, directory='', command=''):
    """The Dataset `name` of TFDS, small enough to be decoded into memory.

    Args:
        splits: 'train' and 'eval' -> (the split's name in TFDS, the published number of examples).
        directory: where it always is; '' takes the reader's `data_dir`.
        command: that makes it; '' is `prepare_command`.
        Others: see `Dataset`.
    """

    def read_split(split, data_dir):
        tfds_split, size = splits[split]
        read_in = read(name, tfds_split, data_directory(directory or data_dir), command)
        _check_content(name, tfds_split, read_in, image_shape, num_classes)
        count = len(read_in.label)
        if count != size:
            log.warning('%s: %r has %d examples, the published dataset %d', name, tfds_split, count, size)
        return read_in

    return Dataset(
        name=name,
        buckets=image_arrays(image_shape),
        num_classes=num_classes,
        sizes={split: size for split, (_, size) in splits.items()},
        mean=mean,
        std=std,
        reader=read_split,
    )


def read(name, split, root, command=''):
    """A split of the TFDS dataset `name` below `root`, decoded, in the order of its files.

    Args:
        name, split: in TFDS.
        root: a `pathlib.Path`.
        command: that makes it, for the messages; '' is `prepare_command`.

    Returns:
        An ImageSplit.

    Raises:
        DataError: it is missing, incomplete, in another format, or its images differ in shape.
    """
    builder = open_split(name, split, root, command)
    examples = records.of_tfds(builder, split, ('image', 'label'))
    first = _decode(examples, 0)[0]
    images = np.empty((examples.size, *first.shape), np.uint8)
    label = np.empty(examples.size, np.int32)
    for i in range(examples.size):
        image, label[i] = _decode(examples, i)
        if image.shape != first.shape:
            raise DataError(
                f'{name}: image {i} of {split!r} has shape {image.shape}, the first one '
                f'{first.shape}; images of one size are needed'
            )
        images[i] = image
    return ImageSplit(images, label, tuple(builder.info.features['label'].names))


def _decode(examples, row):
    """(uint8 [H, W, C] as it is stored, label); raises DataError."""
    try:
        data, label = examples.read(row)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise ValueError('it is no picture that can be decoded')
    except (*records.UNREADABLE, cv2.error) as error:
        raise DataError(f'example {row}, in {examples.file(row)}, cannot be read: {error}') from error
    if image.ndim == 2:
        return image[..., None], label
    return image[..., ::-1], label  # OpenCV's order is blue, green, red


def open_split(name, split, root, command=''):
    """The TFDS builder of a dataset below `root`, of which all files of `split` are there.

    Args:
        As `read`.

    Raises:
        DataError: it is missing, incomplete, or in another format.
    """
    command = command or prepare_command(name, root)
    builder = open_builder(name, root, command)
    _check_files(builder, name, split, command)
    return builder


def prepare_command(name, root):
    """The one command that prepares a dataset."""
    return f'python -m resizemix_jax.prepare {name} --data_dir={root}'


def open_builder(name, root, command):
    """The TFDS builder of the newest version of a dataset below `root`; raises DataError if there is none."""
    # TFDS and its readers take most of a second to import; only a process that reads pays for it.
    import tensorflow_datasets as tfds

    versions = [p.parent for p in root.glob(f'{name}/*/dataset_info.json')]
    if not versions:
        raise DataError(
            f'{name} is not prepared in {root}. Prepare it with:\n    {command}\n'
            'or name the directory that has it: --config.data_dir=DIR, or TFDS_DATA_DIR=DIR'
        )
    newest = max(versions, key=lambda p: tuple(int(n) for n in p.name.split('.')))
    return tfds.builder_from_directory(newest)


def _check_files(builder, name, split, command):
    """Raises DataError unless every shard of the split is there, in a format that can be read."""
    info = builder.info
    if info.file_format.value not in FORMATS:
        raise DataError(
            f'{name}: {builder.data_dir} is in the format {info.file_format.value}; this trainer reads '
            f'{" and ".join(FORMATS)}. Prepare a copy elsewhere:\n    {prepare_command(name, "OTHER_DIR")}'
        )
    if split not in info.splits:
        raise DataError(f'{name}: {builder.data_dir} has no split {split!r}; it has {list(info.splits)}')
    files = [pathlib.Path(p) for p in info.splits[split].filepaths]
    missing = [f.name for f in files if not f.exists()]
    if missing:
        raise DataError(
            f'{name}: {len(missing)} of the {len(files)} files of {split!r} are missing in '
            f'{builder.data_dir}: {", ".join(missing[:3])}{", ..." if len(missing) > 3 else ""}. '
            f'Copy them there, or delete that directory and prepare it again:\n'
            f'    {command}'
        )


def _check_content(name, split, read_in, image_shape, num_classes):
    """Raises DataError unless the examples are of the shape and classes that the name promises."""
    images, label = read_in.images, read_in.label
    if images.shape[1:] != image_shape:
        raise DataError(f'{name}: images of {split!r} are {images.shape[1:]}, not {image_shape}')
    if label.min() < 0 or label.max() >= num_classes:
        raise DataError(
            f'{name}: labels of {split!r} are in {label.min()}..{label.max()}, not 0..{num_classes - 1}'
        )
