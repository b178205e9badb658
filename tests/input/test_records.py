"""Both formats are read without TensorFlow, and damaged files are named."""

import io
import json
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
@pytest.mark.slow
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
@pytest.mark.slow
def test_only_so_many_files_are_open(file_format, written, monkeypatch):
    monkeypatch.setattr(records, 'OPEN', 2)
    found = opened(written[file_format])
    before = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 0
    for row in (0, 13, 25, 40, 0, 40, 13):
        assert found.read(row) == miniature.pictures('train', 41)[row]
        assert len(found._opened) <= 2
    if before:
        assert len(os.listdir('/proc/self/fd')) <= before + 2


@pytest.mark.slow
def test_where_records_are_is_looked_for_once(tmp_path, monkeypatch):
    path = miniature.write(tmp_path, 'tfrecord')
    opened(tmp_path)
    (kept,) = path.glob('*.records.*')
    with monkeypatch.context() as patch:
        patch.setattr(tfrecord, '_scan', None)  # would fail if it were called
        assert opened(tmp_path).read(40) == miniature.pictures('train', 41)[40]
    next(path.glob('*train*00000-of*')).touch()  # perhaps another file: looked for again
    opened(tmp_path)
    assert len(list(path.glob('*.records.*'))) == 2


@pytest.mark.slow
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
@pytest.mark.slow
def test_a_shard_that_is_cut_short_is_named(file_format, less, tmp_path):
    path = miniature.write(tmp_path, file_format)
    shard = next(path.glob('*train*00002-of-00004'))
    os.truncate(shard, shard.stat().st_size - less)
    with pytest.raises(DataError, match=f'{shard} is truncated'):
        opened(tmp_path)


@pytest.mark.slow
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


def index_of(path):
    """The cached record index of train."""
    (kept,) = path.glob('*train*.records.*')
    return kept


def damaged(kept, way):
    """What becomes of the bytes of a record index."""
    with np.load(kept) as found:
        start, length, number = found['start'], found['length'], found['number']
    buffer = io.BytesIO()
    if way == 'other records':
        np.savez(buffer, start=start + 100, length=length, number=number)
    elif way == 'other lengths':
        np.savez(buffer, start=start, length=np.roll(length, 1), number=number)
    elif way == 'other counts':
        np.savez(buffer, start=start, length=length, number=np.roll(number, 1))
    elif way == 'fewer':
        np.savez(buffer, start=start[:3], length=length[:3], number=number)
    elif way == 'other arrays':
        np.savez(buffer, start=start)
    elif way == 'no archive':
        np.save(buffer, start)
    return buffer.getvalue()


WAYS = 'empty', 'other records', 'other lengths', 'other counts', 'fewer', 'other arrays', 'no archive'


@pytest.mark.parametrize('way', WAYS)
@pytest.mark.slow
def test_a_damaged_index_is_rebuilt(way, tmp_path, caplog):
    path = miniature.write(tmp_path, 'tfrecord')
    opened(tmp_path)
    kept = index_of(path)
    whole = kept.read_bytes()
    kept.write_bytes(damaged(kept, way))
    found = opened(tmp_path)
    assert [found.read(row) for row in range(41)] == miniature.pictures('train', 41)
    assert f'The record index {kept} cannot be used and is rebuilt' in caplog.text
    assert index_of(path).read_bytes() == whole


@pytest.mark.slow
def test_any_damage_to_an_index_is_no_traceback(tmp_path):
    path = miniature.write(tmp_path, 'tfrecord')
    files = {file: 12 for file in sorted(path.glob('*train*'))[:3]}
    expected = tfrecord.find_records(files, 'any-train')
    kept = index_of(path)
    whole = kept.read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(60):
        content = bytearray(whole[: rng.integers(len(whole))] if trial % 3 == 0 else whole)
        for place in rng.integers(0, len(whole), 1 + trial % 5):
            if place < len(content):
                content[place] = rng.integers(256)
        kept.write_bytes(content)
        np.testing.assert_array_equal(tfrecord.find_records(files, 'any-train'), expected)


@pytest.mark.slow
def test_an_index_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path = miniature.write(tmp_path, 'tfrecord')
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda file: done.append('fsync') or fsync(file))
    monkeypatch.setattr(os, 'replace', lambda *names: done.append('replace') or replace(*names))
    opened(tmp_path)
    assert done == ['fsync', 'replace'] and index_of(path)


def flip(file, bit):
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


@FORMATS
@pytest.mark.slow
def test_every_flipped_bit_is_noticed(file_format, tmp_path):
    path = miniature.write(tmp_path, file_format)
    (shard,) = path.glob('*validation*00000-of-00002')
    expected = miniature.pictures('validation', 12)
    # Within the pictures and the labels, not the file's own structure.
    content, data = shard.read_bytes(), expected[5][0]
    begin = content.index(data[:200])
    for bit in np.random.default_rng(0).integers(8 * begin, 8 * (begin + len(data) + 10), 12):
        flip(shard, int(bit))
        found = opened(tmp_path, 'validation')
        with pytest.raises(records.UNREADABLE):
            found.read(5)
        assert file_format == 'array_record' or found.read(4) == expected[4]
        flip(shard, int(bit))


def test_a_flipped_bit_is_a_damaged_example(tmp_path, caplog):
    path = miniature.write(tmp_path, 'tfrecord')
    (shard,) = path.glob('*validation*00000-of-00002')
    data = miniature.pictures('validation', 12)[5][0]
    flip(shard, 8 * (shard.read_bytes().index(data) + 300))
    split = miniature.read(tmp_path, 'eval')
    split.batch(np.arange(23), None)
    assert list(split.damaged) == [5]
    assert f'example 5, in {shard}, cannot be read: the checksum of its record is wrong' in caplog.text
    with pytest.raises(DataError, match='1 of 23 examples cannot be read'):
        miniature.read(tmp_path, 'eval', max_damaged=0).batch(np.arange(23), None)


def copied(path, one, other):
    """Copies one shard over another, as a restore from a backup may."""
    source, target = (next(path.glob(pattern)) for pattern in (one, other))
    target.write_bytes(source.read_bytes())
    return target


@FORMATS
@pytest.mark.parametrize('one', ['*train*00000-of*', '*validation*00000-of*'])
@pytest.mark.slow
def test_a_shard_copied_over_another_is_noticed(one, file_format, tmp_path):
    path = miniature.write(tmp_path, file_format)
    copied(path, one, '*train*00001-of*')
    with pytest.raises(DataError, match='has the same content as .*: one was copied over the other'):
        opened(tmp_path)


@pytest.mark.slow
def test_the_shards_of_another_copy_are_noticed_by_their_bytes(tmp_path):
    path = miniature.write(tmp_path / 'a', 'tfrecord')
    other = miniature.write(tmp_path / 'b', 'tfrecord', splits={'train': 23, 'validation': 41})
    source = next(other.glob('*validation*00002-of*'))
    next(path.glob('*train*00000-of*')).write_bytes(source.read_bytes())
    with pytest.raises(DataError, match="the records of 'train' have .* bytes, and by dataset_info.json"):
        opened(tmp_path / 'a')


@pytest.mark.slow
def test_splits_whose_bytes_are_counted_with_their_frames_or_not_at_all_are_read(tmp_path):
    path = miniature.write(tmp_path, 'tfrecord') / 'dataset_info.json'
    about = json.loads(path.read_text())
    (train,) = (split for split in about['splits'] if split['name'] == 'train')
    for change in (16 * 41, -int(train['numBytes'])):
        changed = train | {'numBytes': str(int(train['numBytes']) + change)}
        others = [split for split in about['splits'] if split['name'] != 'train']
        path.write_text(json.dumps(about | {'splits': [changed, *others]}))
        assert opened(tmp_path).size == 41


@pytest.mark.parametrize('swapped', [('label', 'image'), ('image', 'image'), ('label', 'label')])
def test_a_feature_of_another_kind_is_damage(swapped, written):
    builder = reading.open_split('imagenet2012', 'train', written['tfrecord'])
    found = records.of_tfds(builder, 'train', swapped)
    with pytest.raises(ValueError, match='its image and label are .*, not bytes and int'):
        found.read(3)
