import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.weights import files

TENSORS = {'a.weight': np.arange(6, dtype=np.float32).reshape(2, 3), 'count': np.array(5, np.int64)}


@pytest.fixture
def path(tmp_path):
    files.write_safetensors(tmp_path / 'x.safetensors', TENSORS, {'model': 'resnet'})
    files.write_pth(tmp_path / 'x.pth', TENSORS)
    return tmp_path


@pytest.mark.parametrize(('name', 'metadata'), [('x.safetensors', {'model': 'resnet'}), ('x.pth', {})])
def test_what_is_written_is_read(name, metadata, path):
    found, read = files.read(path / name)
    assert read == metadata and found.keys() == TENSORS.keys()
    assert all(np.array_equal(found[key], TENSORS[key]) for key in TENSORS)


@pytest.mark.parametrize('dtype', [np.float64, np.float16, jnp.bfloat16])
def test_numbers_become_float32(dtype, tmp_path):
    files.write_pth(tmp_path / 'x.pth', {'a': np.ones(2, dtype)})
    assert files.read(tmp_path / 'x.pth')[0]['a'].dtype == np.float32


@pytest.mark.parametrize('name', ['x.safetensors', 'x.pth'])
@pytest.mark.parametrize('length', [0, 7, 40, -1])
def test_a_file_cut_off_is_a_sentence(name, length, path):
    cut = path / f'cut.{name}'
    cut.write_bytes((path / name).read_bytes()[:length])
    with pytest.raises(DataError, match=f'cut.{name} is damaged or is no file of .*; fetch it again'):
        files.read(cut)


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_named(value, tmp_path):
    files.write_pth(tmp_path / 'x.pth', {'good': np.ones(1), 'bad': np.array([1.0, value])})
    with pytest.raises(DataError, match="x.pth: the tensor 'bad' has numbers that are NaN or infinite"):
        files.read(tmp_path / 'x.pth')


def test_another_ending_and_no_file_are_sentences(tmp_path):
    with pytest.raises(ConfigError, match=r'x\.npz must end in one of: \.safetensors, \.pth'):
        files.read(tmp_path / 'x.npz')
    with pytest.raises(ConfigError, match=r'x\.pth: there is no such file'):
        files.read(tmp_path / 'x.pth')
