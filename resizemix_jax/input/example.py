"""Reads tf.train.Example, the message that TFDS stores an example as, without TensorFlow or protobuf.

Message: Example.features (1) -> Features.feature (1), a map: key (1), value (2) -> Feature: bytes_list (1) or
int64_list (3), each with its values (1); integers are packed or not.
"""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def parse(record, names):
    """The features `names` of a serialised tf.train.Example, the first value of each: bytes or int.

    Raises:
        ValueError: another message, or one without these features.
    """
    found = {}
    try:
        for features in _submessages(record, (0, len(record)), 1):
            for entry in _submessages(record, features, 1):
                key, feature = b'', (0, 0)
                for number, value in _fields(record, *entry):
                    if number == 1:
                        key = bytes(record[slice(*value)])
                    elif number == 2:
                        feature = value
                if key.decode() in names:
                    found[key.decode()] = _value(record, feature)
    except (IndexError, TypeError, UnicodeDecodeError) as error:
        raise ValueError('not a tf.train.Example') from error
    missing = [name for name in names if found.get(name) is None]
    if missing:
        raise ValueError(f'not a tf.train.Example with the feature {missing[0]!r}')
    return tuple(found[name] for name in names)


def _value(data, feature):
    for kind, values in _fields(data, *feature):
        for number, value in _fields(data, *values):
            if number == 1 and kind == 1:
                return bytes(data[slice(*value)])
            if number == 1 and kind == 3:
                number = value if isinstance(value, int) else _varint(data, value[0])[0]
                return number - (1 << 64) if number >> 63 else number
    return None


def _submessages(data, span, number):
    return (value for found, value in _fields(data, *span) if found == number)


def _fields(data, at, end):
    """(number, value) of each field of a message; the value is an int, or the span of its bytes."""
    while at < end:
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
        elif kind == _BYTES:
            length, at = _varint(data, at)
            value, at = (at, at + length), at + length
        elif kind in (_FIXED64, _FIXED32):
            width = 8 if kind == _FIXED64 else 4
            value, at = (at, at + width), at + width
        else:
            raise ValueError(f'not a tf.train.Example: a field has the wire type {kind}')
        if at > end:
            raise ValueError('truncated tf.train.Example')
        yield tag >> 3, value


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError('not a tf.train.Example: a number is too long')
