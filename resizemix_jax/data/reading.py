"""Reads a prepared TFDS directory into memory; no TensorFlow, no network, nothing is ever prepared here."""

import logging
import os
import pathlib

import numpy as np

from resizemix_jax.data.dataset import Dataset, Split
from resizemix_jax.errors import DataError

log = logging.getLogger(__name__)

CHUNK = 1000


def data_directory(data_dir):
    """Where datasets are: `data_dir`, or else $TFDS_DATA_DIR, or else ~/tensorflow_datasets."""
    chosen = data_dir or os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets'
    return pathlib.Path(chosen).expanduser()


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
        image_shape=image_shape,
        num_classes=num_classes,
        train_size=splits['train'][1],
        eval_size=splits['eval'][1],
        mean=mean,
        std=std,
        read=read_split,
    )


def read(name, split, root, command=''):
    """A split of the TFDS dataset `name` below `root`, decoded, in the order of its files.

    Args:
        name, split: in TFDS.
        root: a `pathlib.Path`.
        command: that makes it, for the messages; '' is `prepare_command`.

    Returns:
        A Split.

    Raises:
        DataError: it is missing, incomplete, in another format, or its images differ in shape.
    """
    command = command or prepare_command(name, root)
    builder = _open(name, root, command)
    _check_files(builder, name, split, command)
    source = builder.as_data_source(split)
    first = source[0]['image']
    images = np.empty((len(source), *first.shape), np.uint8)
    label = np.empty(len(source), np.int32)
    for start in range(0, len(source), CHUNK):
        rows = range(start, min(start + CHUNK, len(source)))
        for i, example in zip(rows, source.__getitems__(rows), strict=True):
            if example['image'].shape != first.shape:
                raise DataError(
                    f'{name}: image {i} of {split!r} has shape {example["image"].shape}, the first one '
                    f'{first.shape}; images of one size are needed'
                )
            images[i], label[i] = example['image'], example['label']
    return Split(images, label, tuple(builder.info.features['label'].names))


def prepare_command(name, root):
    """The one command that prepares a dataset."""
    return f'python -m resizemix_jax.data.prepare {name} --data_dir={root}'


def _open(name, root, command):
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
    """Raises DataError unless every shard of the split is there, as ArrayRecord."""
    info = builder.info
    if info.file_format.value != 'array_record':
        raise DataError(
            f'{name}: {builder.data_dir} is in the format {info.file_format.value}; this trainer reads '
            f'array_record. Prepare a copy elsewhere:\n    {prepare_command(name, "OTHER_DIR")}'
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
    images, label, _ = read_in
    if images.shape[1:] != image_shape:
        raise DataError(f'{name}: images of {split!r} are {images.shape[1:]}, not {image_shape}')
    if label.min() < 0 or label.max() >= num_classes:
        raise DataError(
            f'{name}: labels of {split!r} are in {label.min()}..{label.max()}, not 0..{num_classes - 1}'
        )
