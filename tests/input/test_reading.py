"""The real reading code, on directories of the real schemas; nothing is mocked."""

import os
import shutil

import numpy as np
import pytest

from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.find import find
from resizemix_jax.input import reading
from tests.input import directories, miniature

SIZES = {'train': 70, 'test': 30}


@pytest.mark.parametrize('name', ['cifar10', 'cifar100', 'fashion_mnist'])
@pytest.mark.slow
def test_a_directory_of_the_dataset_s_own_schema_is_read(name, tmp_path, caplog):
    content = directories.write(tmp_path, name, SIZES)
    dataset = find('datasets', name)()
    for split, tfds_split in (('train', 'train'), ('eval', 'test')):
        read = dataset.read(split, str(tmp_path))
        np.testing.assert_array_equal(read.images, content[tfds_split][0])
        np.testing.assert_array_equal(read.label, content[tfds_split][1])
        assert read.images.dtype == np.uint8 and read.label.dtype == np.int32
        assert len(read.names) == dataset.num_classes
    assert 'has 70 examples, the published dataset' in caplog.text


def test_a_tfrecord_copy_is_read_too(tmp_path):
    content = directories.write(tmp_path, 'cifar10', SIZES)
    (version,) = (tmp_path / 'cifar10').iterdir()
    miniature.as_tfrecord(version)
    read = find('datasets', 'cifar10')().read('train', str(tmp_path))
    np.testing.assert_array_equal(read.images, content['train'][0])
    np.testing.assert_array_equal(read.label, content['train'][1])


@pytest.mark.parametrize('damage', [lambda data: b'nothing', lambda data: data[: len(data) // 2]])
def test_a_damaged_image_is_named(damage, tmp_path, monkeypatch):
    encode = directories.writing.encode_png
    monkeypatch.setattr(directories.writing, 'encode_png', lambda image: damage(encode(image)))
    directories.write(tmp_path, 'cifar10', SIZES)
    with pytest.raises(
        DataError, match='example 0, in .*cifar10-train.*, cannot be read: the picture cannot be decoded'
    ):
        find('datasets', 'cifar10')().read('train', str(tmp_path))


def test_missing_data_names_the_one_command(tmp_path):
    with pytest.raises(DataError) as error:
        find('datasets', 'cifar100')().read('train', str(tmp_path))
    assert f'python -m resizemix_jax.prepare cifar100 --data_dir={tmp_path}' in str(error.value)


def test_where_datasets_are_looked_for(monkeypatch):
    monkeypatch.setenv('TFDS_DATA_DIR', '/data')
    assert str(reading.data_directory('')) == '/data'
    assert str(reading.data_directory('/mine')) == '/mine'
    monkeypatch.delenv('TFDS_DATA_DIR')
    monkeypatch.setenv('HOME', '/home/user')
    assert str(reading.data_directory('')) == '/home/user/tensorflow_datasets'


def test_the_newest_version_is_read(tmp_path):
    path = tmp_path / 'cifar10'
    content = directories.write(tmp_path, 'cifar10', SIZES)
    (version,) = path.iterdir()
    directories.write(tmp_path / 'other', 'cifar10', SIZES, seed=1)
    shutil.copytree(tmp_path / 'other' / 'cifar10' / version.name, path / '2.9.0')
    read = find('datasets', 'cifar10')().read('train', str(tmp_path))
    np.testing.assert_array_equal(read.images, content['train'][0])


def test_missing_shards_are_named(tmp_path):
    directories.write(tmp_path, 'cifar10', SIZES)
    (shard,) = tmp_path.glob('cifar10/*/cifar10-train*')
    shard.unlink()
    with pytest.raises(DataError, match="1 of the 1 files of 'train' are missing .*" + shard.name):
        find('datasets', 'cifar10')().read('train', str(tmp_path))


def test_a_missing_split_is_named(tmp_path):
    directories.write(tmp_path, 'cifar10', {'train': 20})
    with pytest.raises(DataError, match="has no split 'test'; it has train. Choose two with"):
        find('datasets', 'cifar10')().read('eval', str(tmp_path))


def test_another_format_is_named(tmp_path):
    directories.write(tmp_path, 'cifar10', SIZES)
    (info,) = tmp_path.glob('cifar10/*/dataset_info.json')
    info.write_text(info.read_text().replace('"array_record"', '"riegeli"'))
    with pytest.raises(
        DataError, match='in the format riegeli; this trainer reads array_record and tfrecord'
    ):
        find('datasets', 'cifar10')().read('train', str(tmp_path))


def test_other_content_is_named(tmp_path):
    directories.write(tmp_path, 'cifar100', {'train': 300, 'test': 20})
    (version,) = (tmp_path / 'cifar100').iterdir()
    as_mnist = find('datasets', 'fashion_mnist')()
    (tmp_path / 'fashion_mnist').mkdir()
    shutil.copytree(version, tmp_path / 'fashion_mnist' / '3.0.1')
    with pytest.raises(DataError, match='fashion_mnist: .* has 100 classes, not 10'):
        as_mnist.read('train', str(tmp_path))
    (tmp_path / 'cifar10').mkdir()
    shutil.copytree(version, tmp_path / 'cifar10' / '3.0.2')
    with pytest.raises(DataError, match='cifar10: .* has 100 classes, not 10'):
        find('datasets', 'cifar10')().read('train', str(tmp_path))
    directories.write(tmp_path / 'other', 'mnist', {'train': 20})
    (version,) = (tmp_path / 'other/mnist').iterdir()
    shutil.copytree(version, tmp_path / 'cifar10' / '9.0.0')
    with pytest.raises(DataError, match=r'images uint8\[28, 28, 1\], .* promises images uint8\[32, 32, 3\]'):
        find('datasets', 'cifar10')().read('train', str(tmp_path))


def version(tmp_path):
    """A copy of cifar10 and the path of its version."""
    directories.write(tmp_path, 'cifar10', SIZES)
    (path,) = (tmp_path / 'cifar10').iterdir()
    return path


def refused(tmp_path, message):
    with pytest.raises(DataError, match=message):
        find('datasets', 'cifar10')().read('train', str(tmp_path))


@pytest.mark.parametrize(
    'name', ['1.0.0_old', '9.0.0.incompleteABC', '9.0.0.bak', 'incomplete.X_9.0.0', 'old']
)
def test_directories_that_are_no_version_are_passed_over(name, tmp_path):
    path = version(tmp_path)
    shutil.copytree(path, path.with_name(name))
    assert find('datasets', 'cifar10')().read('train', str(tmp_path)).size == 70
    path.rename(path.with_name(f'{name}.2'))
    refused(tmp_path, 'cifar10 is not prepared in .*. Prepare it with')


def test_a_newest_version_with_missing_files_is_not_replaced_by_an_older_one(tmp_path):
    path = version(tmp_path)
    shutil.copytree(path, path.with_name('10.0.0'))
    for shard in path.with_name('10.0.0').glob('*train*'):
        shard.unlink()
    about = path.with_name('10.0.0') / 'dataset_info.json'
    about.write_text(about.read_text().replace('"3.0.2"', '"10.0.0"'))
    refused(tmp_path, "1 of the 1 files of 'train' are missing in .*10.0.0")


def test_a_layout_of_old_tfds_is_a_sentence(tmp_path):
    (version(tmp_path) / 'features.json').unlink()
    refused(
        tmp_path, 'has no features.json: TFDS 3.2.1 and older wrote none, (.|\n)*prepare cifar10 --data_dir'
    )


@pytest.mark.parametrize(
    'content', [b'', b'{', b'[]', b'{"name": 3, "splits": 5}', b'\xff\xfe', b'null', b'{}']
)
@pytest.mark.parametrize('name', ['dataset_info.json', 'features.json'])
def test_damaged_metadata_is_a_sentence(name, content, tmp_path):
    path = version(tmp_path)
    (path / name).write_bytes(content)
    refused(tmp_path, f'{path}|cifar10: expected an image feature')


def test_an_empty_split_is_a_sentence(tmp_path):
    path = version(tmp_path) / 'dataset_info.json'
    path.write_text(path.read_text().replace('"70"', '"0"'))
    refused(tmp_path, "cifar10: 'train' is empty in ")


def test_without_a_home_the_directory_is_asked_for(monkeypatch):
    monkeypatch.delenv('TFDS_DATA_DIR', raising=False)
    monkeypatch.delenv('HOME')
    monkeypatch.setattr(os, 'getuid', lambda: 123456)  # as in a container, without an entry of its own
    with pytest.raises(ConfigError, match='TFDS_DATA_DIR=~/tensorflow_datasets: .* no home'):
        reading.data_directory('')
