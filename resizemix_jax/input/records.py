"""Random access to the encoded examples of a split, in ArrayRecord, TFRecord or picture files.

All classes have `size`, `read(row)` -> (the encoded image, its label), which raises one of UNREADABLE if that
example is damaged, `file(row)`, for messages, and `files`, see `dataset.Split`. They open files when
they first read, so they can be pickled.
"""

import bisect
import collections
import os
import pathlib

from resizemix_jax.errors import DataError
from resizemix_jax.input import example, tfrecord

UNREADABLE = (ValueError, OSError, RuntimeError)
OPEN = 128  # files at a time; many systems allow a process 256, and a dataset may have a thousand


class _Shards:
    """Serialised tf.train.Examples in several files."""

    def __init__(self, files, counts, features):
        """`counts`: of the records of each file; `features`: the names of the image and the label."""
        self._files, self._features = [str(f) for f in files], features
        self._ends = list(_running_sum(counts))
        self._opened = collections.OrderedDict()

    @property
    def size(self):
        return self._ends[-1] if self._ends else 0

    @property
    def files(self):
        return tuple((os.path.basename(f), os.stat(f).st_size) for f in self._files)

    def file(self, row):
        return self._files[self._shard(row)]

    def read(self, row):
        return example.parse(self._record(row), self._features)

    def __getstate__(self):
        return self.__dict__ | {'_opened': collections.OrderedDict()}

    def _shard(self, row):
        return bisect.bisect_right(self._ends, row)

    def _reader(self, shard):
        if shard not in self._opened:
            if len(self._opened) >= OPEN:
                self._close(self._opened.popitem(last=False)[1])
            self._opened[shard] = self._open(self._files[shard])
        self._opened.move_to_end(shard)
        return self._opened[shard]


class ArrayRecords(_Shards):
    """Examples in ArrayRecord files."""

    def _record(self, row):
        shard = self._shard(row)
        first = self._ends[shard - 1] if shard else 0
        return self._reader(shard).read([row - first])[0]

    def _open(self, file):
        return _array_record(file)

    def _close(self, reader):
        reader.close()


class TFRecords(_Shards):
    """Examples in TFRecord files, at the places that `tfrecord.find_records` returns."""

    def __init__(self, files, counts, features, start, length):
        super().__init__(files, counts, features)
        self._start, self._length = start, length

    def _record(self, row):
        opened = self._reader(self._shard(row))
        record = os.pread(opened, int(self._length[row]), int(self._start[row]))
        if len(record) != self._length[row]:
            raise ValueError('the file is shorter than when it was indexed')
        return record

    def _open(self, file):
        return os.open(file, os.O_RDONLY)

    def _close(self, opened):
        os.close(opened)


class Pictures:
    """Picture files in a folder for each class: root/CLASS/FILE."""

    def __init__(self, root, classes, names, label):
        """`names`: of the files, encoded, a NumPy array of bytes, which is compact for a million of them."""
        self._root, self._classes, self._names, self._label = str(root), classes, names, label

    @property
    def size(self):
        return len(self._label)

    @property
    def files(self):
        paths = map(self.file, range(self.size))
        return tuple((os.path.relpath(f, self._root), os.stat(f).st_size) for f in paths)

    def file(self, row):
        return os.path.join(self._root, self._classes[self._label[row]], os.fsdecode(self._names[row]))

    def read(self, row):
        return pathlib.Path(self.file(row)).read_bytes(), self._label[row]


def of_tfds(builder, split, features):
    """The examples of a split that TFDS has written, in either format.

    Args:
        builder: from `reading.open_builder`.
        split: its name in TFDS.
        features: the names of the image and the label.

    Raises:
        DataError: a file is truncated, or holds another number of records than TFDS wrote.
    """
    info = builder.info.splits[split]
    files, counts = [os.fspath(p) for p in info.filepaths], info.shard_lengths
    if builder.info.file_format.value == 'tfrecord':
        found = tfrecord.find_records(files, counts, f'{builder.name}-{split}')
        return TFRecords(files, counts, features, *found)
    for file, count in zip(files, counts, strict=True):
        _check_array_record(file, count)
    return ArrayRecords(files, counts, features)


def _check_array_record(file, count):
    try:
        reader = _array_record(file)
        there = reader.num_records()
        reader.close()
    except UNREADABLE as error:
        # The index of the records is at the end of such a file.
        raise DataError(
            f'{file} is truncated or damaged ({_first_line(error)}); copy or prepare it again'
        ) from error
    if there != count:
        raise DataError(f'{file} holds {there} records, not {count}; copy or prepare it again')


def _array_record(file):
    from array_record.python import array_record_module

    return array_record_module.ArrayRecordReader(
        file, options='readahead_buffer_size:0', file_reader_buffer_size=32768
    )


def _running_sum(counts):
    total = 0
    for count in counts:
        total += count
        yield total


def _first_line(error):
    return str(error).partition('\n')[0]
