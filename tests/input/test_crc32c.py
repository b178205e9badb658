import numpy as np
import pytest

from resizemix_jax.input import crc32c
from tests.input import miniature


def bytewise(data):
    """The definition."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ miniature.BYTE_CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def test_published_values():
    # RFC 3720, B.4
    assert crc32c.of(b'123456789') == 0xE3069283
    assert crc32c.of(bytes(32)) == 0x8A9136AA
    assert crc32c.of(b'\xff' * 32) == 0x62A8AB43
    assert crc32c.of(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize('size', [*range(20), 4503, 4504, 4505, 7296, 7297, 23576, 45480, 45488, 140_001])
def test_every_length_is_that_of_the_definition(size):
    data = np.random.default_rng(size).bytes(size)
    assert crc32c.of(data) == bytewise(data)


def test_every_bit_counts():
    rng = np.random.default_rng(0)
    data = bytearray(rng.bytes(100_003))
    before = crc32c.of(bytes(data))
    for bit in [0, 1, 31, 32, 8 * len(data) - 1, *rng.integers(0, 8 * len(data), 60)]:
        data[bit // 8] ^= 1 << bit % 8
        assert crc32c.of(bytes(data)) != before
        data[bit // 8] ^= 1 << bit % 8


def test_rows():
    array = np.random.default_rng(0).integers(0, 256, (50, 8), np.uint8)
    rows = [row.tobytes() for row in array]
    assert crc32c.of_rows(array).tolist() == list(map(bytewise, rows))
    expected = [int.from_bytes(miniature._masked_crc(row), 'little') for row in rows]
    assert crc32c.masked(crc32c.of_rows(array)).tolist() == expected
    assert [crc32c.masked(crc32c.of(row)) for row in rows] == expected
