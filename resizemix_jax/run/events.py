"""TensorBoard's event files: TFRecord files of `tensorflow.Event` protocol buffers.

The formats: tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto and tensor.proto,
tensorflow/core/lib/io/record_writer.h, tensorboard/plugins/hparams/plugin_data.proto. Written here, since the
libraries that do it import torch or TensorFlow where they find them, and write in a thread that a change of
the clock can end.
"""

import json
import os
import socket
import struct
import time

from resizemix_jax import checksum
from resizemix_jax.key_groups import group
from resizemix_jax.run import files
from resizemix_jax.run.protobuf import double, message, single, text, varint

VERSION = 'brain.Event:2'
START, END = '_hparams_/session_start_info', '_hparams_/session_end_info'
SUCCESS = 1  # a Status of the HParams plug-in
DT_STRING = 7  # a DataType of TensorFlow
TENSOR = 2  # a DataClass: what TensorBoard keeps a few of, as text


class Events:
    """A new event file in a directory. TensorBoard hides what older files have from `purge_step` on."""

    def __init__(self, directory, purge_step):
        files.make_directory(directory)
        name = f'events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}'
        taken = sum(other.startswith(name) for other in files.names(directory))
        self._file = files.Appender(directory / f'{name}.{taken}')
        self._append(0, text(3, VERSION))
        # SessionLog (field 7) with status (1) START (1): what TensorBoard purges by.
        self._append(purge_step, message(7, varint(1, 1)))

    def begin(self, run):
        """Writes what a session starts with: config and identity as text, and the hyperparameters.

        Those are the config's keys that make a run what it is, see `key_groups`. The HParams tab shows those
        of the first session.

        Args:
            run: `loggers.Run`.
        """
        values = run.flat_config
        self._write(
            run.step,
            _text('config', '\n'.join(f'{key} = {json.dumps(value)}' for key, value in values.items())),
            _text('identity', json.dumps(run.identity, indent=2)),
            _hparams(START, 3, _session_start({k: v for k, v in values.items() if group(k) != 'free'})),
        )

    def row(self, step, values):
        """Writes scalars: tag -> number."""
        self._write(step, *(text(1, tag) + single(2, value) for tag, value in values.items()))

    def picture(self, step, tag, path):
        """Writes a PNG file as an image."""
        data = files.read_bytes(path)
        width, height = struct.unpack('>II', data[16:24])  # of the chunk IHDR, the first one
        image = varint(1, height) + varint(2, width) + varint(3, 3) + message(4, data)
        self._write(step, text(1, tag) + message(4, image))

    def close(self, step=0, scores=None):
        """Closes the file. `scores`, tag -> number, of a run that is done: they are written at `step`.

        A run that stops before has no end in the HParams tab, since that keeps the first one that it sees,
        and the run may continue.
        """
        if scores:
            end = varint(1, SUCCESS) + double(2, time.time())
            self.row(step, scores)
            self._write(step, _hparams(END, 4, end))
        self._file.close()

    def _write(self, step, *values):
        """Writes a Summary (field 5) of Values (1)."""
        self._append(step, message(5, b''.join(message(1, value) for value in values)))

    def _append(self, step, content):
        event = double(1, time.time()) + varint(2, step) + content
        length = struct.pack('<Q', len(event))
        self._file.append(length + _crc(length) + event + _crc(event))


def _crc(data):
    return struct.pack('<I', checksum.masked(data))


def _text(tag, content):
    """A Value of the text plug-in: Markdown, in which an indented line is shown as it is."""
    lines = '\n'.join(f'    {line}' for line in content.splitlines())
    shape = message(2, varint(1, 1))  # one dimension of size 1
    tensor = varint(1, DT_STRING) + message(2, shape) + text(8, lines)
    return text(1, tag) + message(9, message(1, text(1, 'text')) + varint(4, TENSOR)) + message(8, tensor)


def _hparams(tag, field, content):
    """A Value of the HParams plug-in, whose content is all in its metadata; the tensor is a float 0."""
    plugin = text(1, 'hparams') + message(2, varint(1, 0) + message(field, content))
    tensor = varint(1, 1) + message(2, b'') + single(5, 0.0)
    return text(1, tag) + message(9, message(1, plugin) + varint(4, TENSOR)) + message(8, tensor)


def _session_start(values):
    """A SessionStartInfo: a map of hyperparameters, and the time."""
    entries = (message(1, text(1, key) + message(2, _value(value))) for key, value in values.items())
    return b''.join(entries) + double(5, time.time())


def _value(value):
    """A google.protobuf.Value; what is neither bool nor number is its text."""
    if isinstance(value, bool):
        return varint(4, value)
    if isinstance(value, int | float):
        return double(2, value)
    return text(3, value if isinstance(value, str) else json.dumps(value))
