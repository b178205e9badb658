import numpy as np
import pytest

from resizemix_jax import checksum
from tests.input import miniature


def unmasked(data):
    rotated = (checksum.masked(data) - 0xA282EAD8) & 0xFFFFFFFF
    return (rotated << 15 | rotated >> 17) & 0xFFFFFFFF


def test_published_values():
    # RFC 3720, B.4
    assert unmasked(b'123456789') == 0xE3069283
    assert unmasked(bytes(32)) == 0x8A9136AA
    assert unmasked(b'\xff' * 32) == 0x62A8AB43
    assert unmasked(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize('size', [0, 1, 7, 8, 9, 100, 4503, 140_001])
def test_every_length_is_that_of_the_definition(size):
    data = np.random.default_rng(size).bytes(size)
    assert checksum.masked(data) == int.from_bytes(miniature._masked_crc(data), 'little')
