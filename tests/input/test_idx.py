import gzip

import numpy as np
import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.input import idx
from tests.input.directories import encode_idx, write_idx


@pytest.mark.parametrize('packed', [True, False])
def test_a_file_is_read(packed, tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (3, 4, 5), np.uint8)
    path = tmp_path / 'images'
    path.write_bytes(gzip.compress(encode_idx(array)) if packed else encode_idx(array))
    np.testing.assert_array_equal(idx.read(path), array)


def test_the_files_of_a_split(tmp_path):
    images, label = write_idx(tmp_path, 'test', 20)
    found = idx.read_split(tmp_path, 'test', 10)
    np.testing.assert_array_equal(found[0], images)
    np.testing.assert_array_equal(found[1], label)
    with pytest.raises(DataError, match='has no train-images-idx3-ubyte.gz and no train-images-idx3-ubyte$'):
        idx.read_split(tmp_path, 'train', 10)


def test_the_names_of_older_archives(tmp_path):
    images, _ = write_idx(tmp_path, 'train', 2)
    for path in tmp_path.iterdir():
        path.rename(path.with_name(path.name.replace('-idx', '.idx')))
    np.testing.assert_array_equal(idx.read_split(tmp_path, 'train', 10)[0], images)


WHOLE = encode_idx(np.zeros((2, 3), np.uint8))
PACKED = gzip.compress(WHOLE, mtime=0)  # the same in every process


@pytest.mark.parametrize(
    'content, message',
    [
        (PACKED[:-9], 'is damaged'),
        (PACKED[:12] + b'\0' * 20, 'is damaged'),
        (WHOLE[:-1], r'has 5 bytes of content, and its header says \(2, 3\): 6'),
        (WHOLE + b'\0', 'has 7 bytes of content'),
        (WHOLE[:7], 'is not an IDX file of unsigned bytes'),
        (b'', 'is not an IDX file of unsigned bytes'),
        (b'\0\0\x0d' + WHOLE[3:], "it begins with '00 00 0d 02'"),
    ],
)
def test_a_damaged_file_is_named(content, message, tmp_path):
    path = tmp_path / 'images'
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        idx.read(path)
    assert str(path) in str(raised.value)


def test_the_two_files_must_fit(tmp_path):
    write_idx(tmp_path, 'train', 12)
    with pytest.raises(DataError, match='has the label 9, and there are 9 classes'):
        idx.read_split(tmp_path, 'train', 9)
    _, labels = idx.find(tmp_path, 'train')
    labels.write_bytes(encode_idx(np.zeros(11, np.uint8)))
    with pytest.raises(DataError, match=r'has the shape \(12, 28, 28\) and train-labels.* \(11,\)'):
        idx.read_split(tmp_path, 'train', 10)
