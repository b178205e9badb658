"""CRC-32C (Castagnoli), the checksum of TFRecord files, in NumPy: no package that is required here offers it.

The checksum is the remainder of the data, as a polynomial over GF(2), by a polynomial P. P divides some
polynomials of few terms, such as y^5685 + y^1362 + y^426 + 1 with y = x^64. So a word of 64 bits may be added
to the words 5685 - 1362, 5685 - 426 and 5685 places behind it, and dropped. Thousands of words at a time are,
until some hundred are left. Each bit of their remainder is the parity of the bits that a mask selects.
"""

import functools

import numpy as np

POLYNOMIAL = 0x82F63B78  # its bits in reverse
# The exponents of y of multiples of P, but for y^0. Each leaves about half of what the one before it left.
MULTIPLES = (
    (5685, 1362, 426),
    (2947, 135, 116, 55, 30),
    (1632, 156, 136, 104, 61),
    (912, 181, 160, 62, 26),
    (563, 109, 58, 53, 31),
)
_PLACES = tuple((*(first - other for other in others), first) for first, *others in MULTIPLES)
_LEFT = MULTIPLES[-1][0]  # words


def of(data):
    """The CRC-32C of bytes, an int."""
    if len(data) < 8:
        return int(of_rows(np.frombuffer(data, np.uint8)[None])[0])
    words = np.empty(-(-len(data) // 8), np.uint64)
    words[0] = 0  # zeros before the data change nothing
    octets = words.view(np.uint8)[-len(data) :]
    octets[:] = np.frombuffer(data, np.uint8)
    octets[:4] ^= 0xFF  # the initial value
    for places in _PLACES:
        while len(words) > places[-1]:
            first = words[: min(places[0], len(words) - places[-1])]
            for place in places:
                behind = words[place : place + len(first)]
                np.bitwise_xor(behind, first, out=behind)
            words = words[len(first) :]
    parities = np.bitwise_count(np.bitwise_xor.reduce(_masks()[:, -len(words) :] & words, axis=1)) & 1
    return int.from_bytes(np.packbits(parities, bitorder='little').tobytes(), 'little') ^ 0xFFFFFFFF


def of_rows(data):
    """The CRC-32C of every row of uint8 [N, L], uint32 [N]; for short rows."""
    crc = np.full(len(data), 0xFFFFFFFF, np.uint32)
    for column in data.T:
        crc = _next(crc ^ column)
    return ~crc


def masked(crc):
    """A checksum, an int or an array of uint32, as a TFRecord file stores it."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _bytes():
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, (crc >> 1) ^ np.uint32(POLYNOMIAL), crc >> 1)
    return crc


_BYTES = _bytes()  # the remainder of a byte


def _next(crc):
    """Remainders, uint32, after one more byte, of zeros."""
    return _BYTES[crc & 0xFF] ^ (crc >> 8)


@functools.cache
def _masks():
    """uint64 [32, _LEFT]: the bits of the last _LEFT words that go into each bit of the remainder."""
    remainders = [_BYTES[1 << np.arange(8)]]  # of each bit of the last byte, then of the one before it
    while len(remainders) < 8 * _LEFT:
        remainders.append(_next(remainders[-1]))
    bits = np.stack(remainders[::-1])[None] >> np.arange(32, dtype=np.uint32)[:, None, None] & 1
    return np.packbits(bits.astype(bool), axis=-1, bitorder='little')[..., 0].view(np.uint64)
