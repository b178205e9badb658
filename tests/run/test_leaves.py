import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.run import leaves


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16', 'int32', 'bool', 'uint8'])
@pytest.mark.parametrize('shape', [(), (3,), (2, 3)])
def test_a_checksum_is_of_type_shape_and_every_bit(dtype, shape):
    array = np.asarray(jnp.ones(shape, dtype))
    text = leaves.checksums({'a': array})['a']
    assert text.startswith(f'{dtype}{list(shape)} ') and leaves.checksums({'a': array.copy()})['a'] == text
    for bit in range(0, 8 * array.nbytes, 5):
        data = bytearray(array.tobytes())
        data[bit // 8] ^= 1 << bit % 8
        other = np.frombuffer(bytes(data), array.dtype).reshape(shape)
        assert leaves.checksums({'a': other})['a'] != text


def test_a_checksum_does_not_depend_on_the_memory_s_order():
    array = np.arange(12.0).reshape(3, 4)
    assert leaves.checksums({'a': np.asfortranarray(array)}) == leaves.checksums({'a': array})
    assert leaves.checksums({'a': array.T}) != leaves.checksums({'a': array})


def test_long_lists_are_cut():
    assert leaves.listed(['a', 'b', 'c'], 2) == 'a, b and 1 more' and leaves.listed(['a', 'b'], 2) == 'a, b'
