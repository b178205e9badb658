"""The checksum of TFRecord files, of which TensorBoard's event files are one kind."""

import google_crc32c


def masked(data: bytes) -> int:
    """The CRC-32C of bytes, masked as those files store it: rotated, and a constant added; 0 to 2**32 - 1."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
