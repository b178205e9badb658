"""TensorBoard's event files, of scalars alone: a TFRecord file of `tensorflow.Event` protocol buffers.

The formats: tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto and
tensorflow/core/lib/io/record_writer.h. Written here, since the libraries that do it import torch or
TensorFlow where they find them, and write in a thread that a change of the clock can end.
"""

import os
import socket
import struct
import time

from resizemix_jax import checksum
from resizemix_jax.run import files

VERSION = 'brain.Event:2'


class Events:
    """A new event file in a directory. TensorBoard hides what older files have from `purge_step` on."""

    def __init__(self, directory, purge_step):
        files.make_directory(directory)
        name = f'events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}'
        taken = sum(other.startswith(name) for other in files.names(directory))
        self._file = files.Appender(directory / f'{name}.{taken}')
        self._append(0, _text(3, VERSION))
        # SessionLog (field 7) with status (1) START (1): what TensorBoard purges by.
        self._append(purge_step, _message(7, _integer(1, 1)))

    def write(self, step, values):
        """Writes scalars: name -> number."""
        scalars = (_message(1, _text(1, name) + _float(2, value)) for name, value in values.items())
        self._append(step, _message(5, b''.join(scalars)))

    def close(self):
        """Closes the file."""
        self._file.close()

    def _append(self, step, content):
        event = b'\x09' + struct.pack('<d', time.time()) + _integer(2, step) + content
        length = struct.pack('<Q', len(event))
        self._file.append(length + _crc(length) + event + _crc(event))


def _crc(data):
    return struct.pack('<I', checksum.masked(data))


def _varint(number):
    """A number >= 0, seven bits a byte, the lowest first."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])


def _integer(field, number):
    return _varint(field << 3) + _varint(number)


def _float(field, number):
    return _varint(field << 3 | 5) + struct.pack('<f', number)


def _message(field, content):
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field, text):
    return _message(field, text.encode('utf-8'))
