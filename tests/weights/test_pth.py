import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.weights import pth
from tests.reference.make_weights import FILE, tensors

OURS = pth.to_bytes({'a.weight': np.ones((2, 3), np.float32), 'count': np.array(5, np.int64)})
TORCHS = [FILE.with_name(name).read_bytes() for name in ('tensors.pth', 'tensors_old.pth')]


def archive(pickled):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as content:
        content.writestr('x/data.pkl', pickled)
    return file.getvalue()


@pytest.mark.parametrize('data', TORCHS, ids=['zip', 'before 1.6'])
def test_files_of_torch_are_read(data):
    found = pth.from_bytes(data, 'x.pth')
    assert found.keys() == tensors().keys()
    for name, expected in tensors().items():
        assert np.array_equal(found[name].astype(expected.dtype), expected), name
    assert found['half'].dtype == np.float16 and found['brain'].dtype.name == 'bfloat16'


@pytest.mark.parametrize(
    'dtype', [np.float32, np.float64, np.float16, np.int64, np.int32, np.uint8, np.bool_]
)
@pytest.mark.parametrize('shape', [(), (0,), (3,), (2, 3, 4)])
@pytest.mark.slow
def test_what_is_written_is_read(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    given = {'b': array, 'turned': array.T, 'ä': np.float32(1) * np.ones(2, np.float32)}
    found = pth.from_bytes(pth.to_bytes(given), 'x.pth')
    assert list(found) == list(given)
    for name, expected in given.items():
        assert found[name].dtype == expected.dtype and np.array_equal(found[name], expected)
        assert found[name].shape == expected.shape


class Code:
    def __reduce__(self):
        return os.system, ('touch HERE',)


@pytest.mark.parametrize('old', [False, True])
def test_code_in_a_file_is_refused_by_name_and_not_run(old, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps({'a': Code()}, protocol=2)
    with pytest.raises(DataError, match=r'x\.pth holds (posix|nt)\.system, and only tensors are read'):
        pth.from_bytes(pickled if old else archive(pickled), 'x.pth')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([1], 'x.pth holds no dict of tensors'),
        ({}, 'x.pth holds no dict of tensors'),
        ({'epoch': 3}, "'epoch' is no tensor; save the weights alone"),
    ],
)
def test_something_else_than_weights_is_a_sentence(content, message):
    with pytest.raises(DataError, match=message):
        pth.from_bytes(archive(pickle.dumps(content, protocol=2)), 'x.pth')


@pytest.mark.parametrize('data', [OURS, *TORCHS], ids=['ours', 'zip', 'before 1.6'])
def test_a_damaged_file_is_a_sentence(data):
    for length in range(0, len(data), max(len(data) // 40, 1)):
        with pytest.raises(DataError, match=r'x\.pth'):
            pth.from_bytes(data[:length], 'x.pth')


def test_a_changed_byte_is_a_sentence_or_other_numbers():
    rng = np.random.default_rng(0)
    for position in rng.choice(len(OURS), 200):
        changed = bytearray(OURS)
        changed[position] ^= 1 << int(rng.integers(8))
        try:
            found = pth.from_bytes(bytes(changed), 'x.pth')
        except DataError as error:
            assert 'x.pth' in str(error)
        else:
            assert all(isinstance(array, np.ndarray) for array in found.values())


@pytest.mark.parametrize('part', ['shape', 'stride', 'offset'])
def test_a_tensor_beyond_its_storage_is_a_sentence(part):
    with zipfile.ZipFile(io.BytesIO(pth.to_bytes({'a': np.ones(3, np.float32)}))) as file:
        content = {name: file.read(name) for name in file.namelist()}
    written, wrong = {
        'shape': (b'(J\x03\x00\x00\x00t(', b'(J\x09\x00\x00\x00t('),
        'stride': (b'(J\x01\x00\x00\x00t\x89', b'(J\x02\x00\x00\x00t\x89'),
        'offset': (b'QJ\x00\x00\x00\x00(', b'QJ\xff\xff\xff\xff('),
    }[part]
    pickled = content['model/data.pkl']
    assert pickled.count(written) == 1
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as changed:
        for name, data in (content | {'model/data.pkl': pickled.replace(written, wrong)}).items():
            changed.writestr(name, data)
    with pytest.raises(DataError, match='does not lie in its storage of 3 numbers'):
        pth.from_bytes(file.getvalue(), 'x.pth')
