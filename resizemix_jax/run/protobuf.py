"""The wire format of protocol buffers: the fields of a message as bytes, which are joined to the message."""

import struct


def varint(field, number):
    """An int32, int64, bool or enum field; `number` >= 0."""
    return _varint(field << 3) + _varint(number)


def single(field, number):
    """A float field."""
    return _varint(field << 3 | 5) + struct.pack('<f', number)


def double(field, number):
    """A double field."""
    return _varint(field << 3 | 1) + struct.pack('<d', number)


def message(field, content):
    """A field that is a message, or bytes."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def text(field, value):
    """A string field."""
    return message(field, value.encode('utf-8', 'replace'))


def _varint(number):
    """Seven bits a byte, the lowest first."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])
