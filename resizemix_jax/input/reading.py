"""Reads prepared TFDS directories; no TensorFlow, no network, nothing is ever prepared here."""

import collections
import json
import logging
import os
import pathlib
import re

import numpy as np

from resizemix_jax.errors import DataError, first_line, local
from resizemix_jax.input import pillow, records
from resizemix_jax.input.dataset import Dataset, ImageSplit, image_arrays
from resizemix_jax.ranges import Whole

log = logging.getLogger(__name__)

FORMATS = ('array_record', 'tfrecord')
VERSION = re.compile(r'\d+\.\d+\.\d+')


def data_directory(data_dir, flag='--config.data_dir'):
    """The directory of the datasets: `data_dir`, or else $TFDS_DATA_DIR, or else ~/tensorflow_datasets.

    Args:
        data_dir: str, or '' for the default.
        flag: whose value it is, for messages.

    Raises:
        ConfigError: see `errors.local`.
    """
    chosen = data_dir or os.environ.get('TFDS_DATA_DIR') or '~/tensorflow_datasets'
    return local(chosen, flag if data_dir else 'TFDS_DATA_DIR')


def in_memory(
    name, *, splits, image_shape, num_classes, mean, std, source='', directory='', command='', train_size=None
):
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
        train_size: the number of training examples, a multiple of the classes: the first of every class, in
            the order of the split; None for all.

    Raises:
        ValueError: another train_size.
    """
    sizes = {split: size for split, (_, size) in splits.items()}
    most = _share(train_size, sizes['train'], num_classes)
    sizes['train'] = train_size or sizes['train']

    def read(split, data_dir):
        tfds_split, size = splits[split]
        root = data_directory(directory or data_dir)
        examples, names = open_examples(source or name, tfds_split, size, root, num_classes, command)
        images, label = _decode_all(examples, num_classes, most if split == 'train' else None)
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
        sizes=sizes,
        mean=mean,
        std=std,
        reader=read,
    )


def _share(train_size, size, num_classes):
    """The training examples of each class that are wanted of `size`; None for all."""
    if train_size in (None, size):
        return None
    if not Whole(num_classes, size).has(train_size) or train_size % num_classes:
        raise ValueError(
            f'train_size={train_size} must be a multiple of the {num_classes} classes, from {num_classes} to '
            f'{size}'
        )
    return train_size // num_classes


def open_examples(source, split, size, root, num_classes, command=''):
    """The encoded examples of a split of an image classification dataset of TFDS.

    Args:
        source: NAME or NAME/CONFIG in TFDS.
        split: in TFDS; a slice such as train[:90%], too.
        size: the published number of examples; another number is a warning.
        root: a `pathlib.Path`, see `data_directory`.
        num_classes: K.
        command: the command that makes the dataset, for messages; '' is `prepare_command`.

    Returns:
        (examples, names): of `records`, and the names of the classes, a tuple.

    Raises:
        DataError: it is missing, empty, incomplete, in another format, or has other features or classes.
    """
    builder = open_split(source, split, root, command)
    image, label = features_of(builder, source)
    known = num_classes_of(builder, label)
    if known and known != num_classes:
        raise DataError(f'{source}: {builder.data_dir} has {known} classes, not {num_classes}')
    examples = records.of_tfds(builder, split, (image, label))
    if examples.size != size:
        log.warning('%s: %r has %d examples, the published dataset %d', source, split, examples.size, size)
    return examples, tuple(builder.info.features[label].names or ()) if known else ()


def open_split(source, split, root, command=''):
    """The TFDS builder of a dataset below `root`, after checking that all files of `split` are there.

    Args:
        As `open_examples`.

    Raises:
        DataError: it is missing, empty, incomplete, or in another format.
    """
    command = command or prepare_command(source, root)
    builder = open_builder(source, root, command)
    _check_files(builder, source, split, command)
    return builder


def prepare_command(source, root):
    """The command that prepares a dataset of TFDS."""
    return f'python -m resizemix_jax.prepare {source} --data_dir={root}'


def versions(path):
    """The directories of the versions of a dataset in `path`; other names, such as 1.0.0_old, are none."""
    return [p.parent for p in path.glob('*/dataset_info.json') if VERSION.fullmatch(p.parent.name)]


def open_builder(source, root, command):
    """The TFDS builder of the newest version of a dataset below `root`.

    Args:
        As `open_examples`.

    Raises:
        DataError: there is none, or its metadata is damaged or of a layout that TFDS cannot read.
    """
    found = versions(root / source)
    if not found:
        configs = sorted(p.name for p in root.glob(f'{source}/*') if versions(p))
        if configs:
            raise DataError(
                f'{root / source} holds the configs {", ".join(configs)}. Choose one: '
                f'--config.dataset=tfds:{source}/{configs[0]}'
            )
        raise DataError(
            f'{source} is not prepared in {root}. Prepare it with:\n    {command}\n'
            'or name the directory that has it: --config.data_dir=DIR, or TFDS_DATA_DIR=DIR'
        )
    return _builder(max(found, key=lambda p: tuple(map(int, p.name.split('.')))), command)


def _builder(path, command):
    # TFDS and its readers take most of a second to import; only a process that reads pays for it.
    import tensorflow_datasets as tfds

    if not (path / 'features.json').exists():
        raise DataError(
            f'{path} has no features.json: TFDS 3.2.1 and older wrote none, and TFDS cannot read what they '
            f'wrote. Delete that directory and prepare it again:\n    {command}'
        )
    for file in (path / 'dataset_info.json', path / 'features.json'):
        try:
            json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise DataError(f'{file} is damaged ({error}); copy it again') from error
    try:
        return tfds.builder_from_directory(path)
    except Exception as error:  # those of TFDS and protobuf have nothing in common
        raise DataError(f'TFDS cannot open {path}: {first_line(error)}; copy or prepare it again') from error


def features_of(builder, source):
    """The names of the image and the label in the examples of a TFDS dataset.

    Raises:
        DataError: it does not have both.
    """
    import tensorflow_datasets as tfds

    features = builder.info.features
    chosen = builder.info.supervised_keys or ('image', 'label')
    known = len(chosen) == 2 and all(isinstance(name, str) and name in features for name in chosen)
    if not (
        known and isinstance(features[chosen[0]], tfds.features.Image) and _is_label(features[chosen[1]])
    ):
        found = ', '.join(f'{name} ({type(features[name]).__name__})' for name in sorted(features))
        raise DataError(f'{source}: expected an image feature and a class label or integer; found {found}')
    return tuple(chosen)


def _is_label(feature):
    """Whether a feature is one integer an example: a ClassLabel or a plain one."""
    import tensorflow_datasets as tfds

    integer = isinstance(feature, tfds.features.Tensor) and np.issubdtype(feature.np_dtype, np.integer)
    return integer and feature.shape in ((), (1,))


def num_classes_of(builder, label):
    """The number of classes that the feature `label` states; 0 of a plain integer, which states none."""
    return getattr(builder.info.features[label], 'num_classes', 0) or 0


def _decode_all(examples, num_classes, most=None):
    """(images uint8 [N, H, W, C], label int32 [N]); raises DataError if they differ in shape.

    With `most`, the first examples of every class, up to so many: what comes after is not read.
    """
    images, label, count = [], [], collections.Counter()
    for row in range(examples.size):
        image, k = _decode(examples, row)
        if images and image.shape != images[0].shape:
            raise DataError(
                f'example {row}, in {examples.file(row)}, has an image of shape {image.shape}, and the first '
                f'one has {images[0].shape}; a dataset in memory needs images of one shape'
            )
        count[k] += 1
        if most is None or count[k] <= most:
            images.append(image)
            label.append(k)
        if most is not None and len(label) == most * num_classes:
            break
    if most is not None and len(label) < most * num_classes:
        raise DataError(
            f'{os.path.dirname(examples.file(0))} has fewer than {most} training examples of a class, and '
            f'train_size={most * num_classes} needs them; choose a smaller train_size'
        )
    return np.stack(images), np.array(label, np.int32)


def _decode(examples, row):
    """(image uint8 [H, W, C] as it is stored, label); raises DataError."""
    try:
        data, label = examples.read(row)
        return pillow.stored(data), label
    except records.UNREADABLE as error:
        raise DataError(f'example {row}, in {examples.file(row)}, cannot be read: {error}') from error


def _check_files(builder, source, split, command):
    """Raises DataError unless every shard of the split is there, in a format that can be read."""
    info = builder.info
    if info.file_format.value not in FORMATS:
        raise DataError(
            f'{source}: {builder.data_dir} is in the format {info.file_format.value}; this trainer reads '
            f'{" and ".join(FORMATS)}. Prepare a copy elsewhere:\n    {prepare_command(source, "OTHER_DIR")}'
        )
    split_size(builder, source, split)
    files = [pathlib.Path(shard.filename) for shard in records.shards(builder, split)]
    missing = [f.name for f in files if not f.exists()]
    if missing:
        raise DataError(
            f'{source}: {len(missing)} of the {len(files)} files of {split!r} are missing in '
            f'{builder.data_dir}: {", ".join(missing[:3])}{", ..." if len(missing) > 3 else ""}. '
            f'Copy them there, or delete that directory and prepare it again:\n'
            f'    {command}'
        )


def split_size(builder, source, split):
    """The number of examples of a split, or of a slice such as train[:90%], by TFDS's own law.

    Raises:
        DataError: there is no such split, or it is no slice, or empty; lists the splits.
    """
    splits = builder.info.splits
    try:
        size = splits[split].num_examples
    except (KeyError, ValueError, NotImplementedError, AssertionError) as error:
        reason = f' ({first_line(error)})' if '[' in split else ''
        raise DataError(
            f'{source}: {builder.data_dir} has no split {split!r}{reason}; it has {", ".join(splits)}. '
            f'Choose two with --config.dataset=tfds:{source}:TRAIN:EVAL'
        ) from error
    if size < 1:
        raise DataError(f'{source}: {split!r} is empty in {builder.data_dir}; choose another split')
    return size
