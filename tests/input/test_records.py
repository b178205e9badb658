"""Both formats are read without TensorFlow, and damaged files are named."""

import os
import pickle

import numpy as np
import pytest
import tensorflow_datasets as tfds

from resizemix_jax.errors import DataError
from resizemix_jax.input import example, reading, records, tfrecord
from tests.input import miniature

FORMATS = pytest.mark.parametrize('file_format', ['array_record', 'tfrecord'])


def opened(directory, split='train'):
    builder = reading.open_split('imagenet2012', split, directory)
    return records.of_tfds(builder, split, ('image', 'label'))


@FORMATS
def test_every_record_is_read_at_its_place(file_format, written):
    for split, count in miniature.SPLITS.items():
        found = opened(written[file_format], split)
        assert found.size == count
        expected = miniature.pictures(split, count)
        for row in np.random.default_rng(0).permutation(count):
            assert found.read(int(row)) == expected[row]
        assert found.file(13).endswith('-00001-of-0000' + ('4' if split == 'train' else '2'))


@FORMATS
def test_records_go_to_other_processes(file_format, written):
    found = opened(written[file_format])
    found.read(0)
    again = pickle.loads(pickle.dumps(found))
    assert again.read(40) == found.read(40)


@FORMATS
def test_only_so_many_files_are_open(file_format, written, monkeypatch):
    monkeypatch.setattr(records, 'OPEN', 2)
    found = opened(written[file_format])
    before = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 0
    for row in (0, 13, 25, 40, 0, 40, 13):
        assert found.read(row) == miniature.pictures('train', 41)[row]
        assert len(found._opened) <= 2
    if before:
        assert len(os.listdir('/proc/self/fd')) <= before + 2


def test_where_records_are_is_looked_for_once(tmp_path, monkeypatch):
    path = miniature.write(tmp_path, 'tfrecord')
    opened(tmp_path)
    (kept,) = path.glob('*.records.*')
    with monkeypatch.context() as patch:
        patch.setattr(tfrecord, '_scan', None)  # would fail if it were called
        assert opened(tmp_path).read(40) == miniature.pictures('train', 41)[40]
    kept.write_bytes(kept.read_bytes()[:100])  # truncated: rebuilt
    assert opened(tmp_path).read(7) == miniature.pictures('train', 41)[7]
    next(path.glob('*train*00000-of*')).touch()  # perhaps another file: looked for again
    opened(tmp_path)
    assert len(list(path.glob('*.records.*'))) == 2


def test_a_directory_that_cannot_be_written_is_read(tmp_path, monkeypatch):
    path = miniature.write(tmp_path / 'data', 'tfrecord')
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    original = os.replace

    def replace(source, target):
        if str(target).startswith(str(path)):
            raise PermissionError
        original(source, target)

    monkeypatch.setattr(os, 'replace', replace)
    assert opened(tmp_path / 'data').size == 41
    assert not list(path.glob('*.records.*')) and not list(path.glob('.records.*'))
    monkeypatch.setattr(tfrecord, '_scan', None)
    assert opened(tmp_path / 'data').size == 41
    (kept,) = (tmp_path / 'home/.cache/resizemix_jax').iterdir()
    assert kept.name.startswith('imagenet2012-train.records.')


@pytest.mark.parametrize('less', [1, 7, 20, 5000])
@FORMATS
def test_a_shard_that_is_cut_short_is_named(file_format, less, tmp_path):
    path = miniature.write(tmp_path, file_format)
    shard = next(path.glob('*train*00002-of-00004'))
    os.truncate(shard, shard.stat().st_size - less)
    with pytest.raises(DataError, match=f'{shard} is truncated'):
        opened(tmp_path)


def test_a_shard_without_its_last_records_or_with_damaged_lengths_is_named(tmp_path):
    path = miniature.write(tmp_path, 'tfrecord')
    shard = next(path.glob('*train*00001-of-00004'))
    whole = shard.read_bytes()
    start, length = tfrecord._scan(shard)
    shard.write_bytes(whole[: start[-1] - 12])
    with pytest.raises(DataError, match=f'{shard} holds 11 records, not 12'):
        opened(tmp_path)
    place = start[5] - 11
    shard.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
    with pytest.raises(DataError, match=f'{shard} is damaged: record 5 has a wrong checksum'):
        opened(tmp_path)


def test_the_parser_agrees_with_tfds():
    features = tfds.features.FeaturesDict(
        {
            'image': tfds.features.Image(),
            'label': tfds.features.ClassLabel(num_classes=300),
            'name': tfds.features.Text(),
        }
    )
    data = miniature.encode(miniature.pixels(20, 30, 0))
    for label in (0, 1, 127, 128, 299):
        encoded = features.encode_example({'image': data, 'label': label, 'name': 'n' * 200})
        record = features.serialize_example(encoded)
        assert example.parse(record, ('image', 'label')) == (data, label)
        assert example.parse(record, ('label', 'image')) == (label, data)


def test_what_is_no_example_is_refused():
    features = tfds.features.FeaturesDict(
        {'image': tfds.features.Image(), 'label': tfds.features.ClassLabel(num_classes=3)}
    )
    record = features.serialize_example(
        features.encode_example({'image': miniature.encode(miniature.pixels(20, 30, 0)), 'label': 2})
    )
    for length in range(len(record)):
        with pytest.raises(ValueError, match='not a|truncated'):
            example.parse(record[:length], ('image', 'label'))
    rng = np.random.default_rng(0)
    for _ in range(500):  # whatever comes, no other error and no endless loop
        try:
            example.parse(rng.integers(0, 256, 60, np.uint8).tobytes(), ('image',))
        except ValueError as error:
            assert str(error).startswith(('not a tf.train.Example', 'truncated'))
    with pytest.raises(ValueError, match="with the feature 'name'"):
        example.parse(record, ('image', 'name'))
