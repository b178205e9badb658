"""A miniature ImageNet: pictures of many sizes and kinds, as ArrayRecord, as TFRecord, or in folders."""

import io
import pathlib

import cv2
import numpy as np
import tensorflow_datasets as tfds
from array_record.python import array_record_module
from PIL import Image

from resizemix_jax.datasets.imagenet import imagenet

SIZES = ((48, 64), (97, 64), (64, 64), (120, 300), (75, 100), (300, 400))  # height, width
KINDS = ('colour', 'fine', 'grey', 'progressive', 'colour', 'cmyk', 'colour', 'png', 'palette', 'turned')
CLASSES = 4
SPLITS = {'train': 41, 'validation': 23}
PER_SHARD = 12


def pixels(height, width, seed, noise=4):
    """Something smooth with some detail, as photographs are: uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    image = cv2.resize(rng.uniform(0, 255, (6, 8, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


def encode(image, kind='colour', quality=92, **more):
    """The bytes of a picture of one of KINDS; `more` are options of Pillow's JPEG writer."""
    buffer, picture = io.BytesIO(), Image.fromarray(image)
    options = dict(format='JPEG', quality=quality, subsampling=2, **more)
    if kind == 'fine':
        options['subsampling'] = 0
    elif kind in ('grey', 'cmyk'):
        picture = picture.convert({'grey': 'L', 'cmyk': 'CMYK'}[kind])
    elif kind == 'progressive':
        options['progressive'] = True
    elif kind == 'turned':
        options['exif'] = picture.getexif()
        options['exif'][0x0112] = 6  # to be shown turned by a quarter
    elif kind in ('png', 'palette'):
        picture = picture.convert('P') if kind == 'palette' else picture
        options = dict(format='PNG')
    picture.save(buffer, **options)
    return buffer.getvalue()


def pictures(split, count):
    """[(bytes, label)] of a split, always the same."""
    seeds = range(1000 * list(SPLITS).index(split), 1000 * list(SPLITS).index(split) + count)
    return [(encode(pixels(*SIZES[i % 6], seed), KINDS[i % 10]), i % CLASSES) for i, seed in enumerate(seeds)]


def write(directory, file_format='array_record', splits=SPLITS, damaged=()):
    """Writes imagenet2012 as TFDS describes it, in several shards.

    Args:
        directory: the data_dir that will be read.
        file_format: 'array_record' or 'tfrecord'.
        splits: split -> number of examples.
        damaged: (split, row) whose picture is cut in half.

    Returns:
        The path of the version.
    """
    info = tfds.builder('imagenet2012', data_dir=str(directory)).info
    path = pathlib.Path(directory) / 'imagenet2012' / str(info.version)
    path.mkdir(parents=True)
    identity = tfds.core.DatasetIdentity(
        name='imagenet2012', version=info.version, data_dir=str(path), module_name=__name__
    )
    made = tfds.core.DatasetInfo(builder=identity, features=info.features, supervised_keys=('image', 'label'))
    writer = tfds.core.SequentialWriter(made, PER_SHARD, file_format='array_record')
    writer.initialize_splits(list(splits))
    for split, count in splits.items():
        for row, (data, label) in enumerate(pictures(split, count)):
            data = data[: len(data) // 2] if (split, row) in damaged else data
            writer.add_examples({split: [{'image': data, 'label': label, 'file_name': f'{row}.JPEG'}]})
    writer.close_all()
    _name_shards(path)
    if file_format == 'tfrecord':
        as_tfrecord(path)
    return path


def read(directory, split='train', **keywords):
    """A split of it as 'imagenet' reads it, small."""
    return imagenet(**{'image_size': 32, 'max_damaged': 0.2} | keywords).read(split, str(directory))


def write_folders(directory, splits=SPLITS):
    """The same pictures as files: directory/SPLIT/CLASS/FILE."""
    for split, count in splits.items():
        for row, (data, label) in enumerate(pictures(split, count)):
            folder = pathlib.Path(directory) / split / f'class{label}'
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f'{row:03d}.JPEG').write_bytes(data)


def _name_shards(path):
    """As the real ones are named, imagenet2012-train.array_record-00000-of-00004."""
    for split in {file.name.partition('.')[0] for file in path.glob('*.array_record-*')}:
        files = sorted(path.glob(f'{split}.*'))
        for file in files:
            file.rename(f'{file}-of-{len(files):05d}')
    about = path / 'dataset_info.json'
    about.write_text(about.read_text().replace('{SHARD_INDEX}', '{SHARD_X_OF_Y}'))


def as_tfrecord(path):
    """Makes the ArrayRecord files of a version TFRecord files."""
    for file in path.glob('*.array_record*'):
        reader = array_record_module.ArrayRecordReader(str(file))
        records = reader.read_all()
        reader.close()
        target = file.with_name(file.name.replace('.array_record', '.tfrecord'))
        target.write_bytes(b''.join(map(framed, records)))
        file.unlink()
    about = path / 'dataset_info.json'
    about.write_text(about.read_text().replace('array_record', 'tfrecord'))


def framed(record):
    """A record as a TFRecord file has it."""
    length = len(record).to_bytes(8, 'little')
    return b''.join((length, _masked_crc(length), record, _masked_crc(record)))


def _byte_crc(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


BYTE_CRC = [_byte_crc(byte) for byte in range(256)]


def _masked_crc(data):
    """CRC-32C, byte by byte, then masked as TFRecord has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ BYTE_CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF).to_bytes(4, 'little')
