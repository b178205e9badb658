"""Random access to the encoded examples of a split, in ArrayRecord, TFRecord or picture files.

All classes have `size`, `read(row)` -> (the encoded image, its label), which raises one of UNREADABLE if that
example is damaged, `file(row)`, for messages, and `files`, see `dataset.Split`. They open files when
they first read, so they can be pickled.
"""

import bisect
import collections
import itertools
import os
import pathlib
from typing import NamedTuple

import numpy as np

from resizemix_jax.errors import DataError, first_line
from resizemix_jax.input import example, tfrecord

UNREADABLE = (ValueError, OSError, RuntimeError)
OPEN = 128  # files at a time; many systems allow a process 256, and a dataset may have a thousand
COMPARED = 65536  # bytes at both ends of files of one size that are compared


class Shard(NamedTuple):
    """The part of a file that a split, or a slice of one, reads.

    Attributes:
        filename: path.
        skip: the first record that is read.
        take: the number of records that are read.
        examples_in_shard: the number of records of the file.
    """

    filename: str
    skip: int
    take: int
    examples_in_shard: int


class _Shards:
    """Serialised tf.train.Examples in several files."""

    def __init__(self, shards, features):
        """`shards`: of `Shard`; `features`: the names of the image and the label."""
        self._shards, self._features = tuple(shards), features
        self._ends = list(itertools.accumulate(shard.take for shard in self._shards))
        self._opened = collections.OrderedDict()

    @property
    def size(self):
        return self._ends[-1] if self._ends else 0

    @property
    def files(self):
        return tuple((os.path.basename(f), os.stat(f).st_size) for f in unique(self._shards))

    def file(self, row):
        return self._shards[self._number(row)].filename

    def read(self, row):
        image, label = example.parse(self._record(row), self._features)
        if not (isinstance(image, bytes) and isinstance(label, int)):
            kinds = type(image).__name__, type(label).__name__
            raise ValueError(
                f'its image and label are stored as {kinds[0]} and {kinds[1]}, not bytes and int'
            )
        return image, label

    def __getstate__(self):
        return self.__dict__ | {'_opened': collections.OrderedDict()}

    def _number(self, row):
        """The number of the shard that has a row."""
        return bisect.bisect_right(self._ends, row)

    def _reader(self, row):
        file = self.file(row)
        if file not in self._opened:
            if len(self._opened) >= OPEN:
                self._close(self._opened.popitem(last=False)[1])
            self._opened[file] = self._open(file)
        self._opened.move_to_end(file)
        return self._opened[file]


class ArrayRecords(_Shards):
    """Examples in ArrayRecord files."""

    def _record(self, row):
        number = self._number(row)
        before = self._ends[number - 1] if number else 0
        return self._reader(row).read([row - before + self._shards[number].skip])[0]

    def _open(self, file):
        return _array_record(file)

    def _close(self, reader):
        reader.close()


class TFRecords(_Shards):
    """Examples in TFRecord files."""

    def __init__(self, shards, features, start, length):
        """`start`, `length`: as `tfrecord.find_records` gives them, of the records that are read."""
        super().__init__(shards, features)
        self._start, self._length = start, length

    def _record(self, row):
        return tfrecord.read(self._reader(row), int(self._start[row]), int(self._length[row]))

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
    def label(self):
        return self._label

    def part(self, rows):
        """The pictures `rows`, an index array, alone."""
        return Pictures(self._root, self._classes, self._names[rows], self._label[rows])

    @property
    def files(self):
        paths = map(self.file, range(self.size))
        return tuple((os.path.relpath(f, self._root), os.stat(f).st_size) for f in paths)

    def file(self, row):
        return os.path.join(self._root, self._classes[self._label[row]], os.fsdecode(self._names[row]))

    def read(self, row):
        return pathlib.Path(self.file(row)).read_bytes(), self._label[row]


def shards(builder, split):
    """The shards of a split of TFDS, or of a slice such as train[:90%]: a list of `Shard`."""
    info = builder.info.splits[split]
    if split not in builder.info.splits:
        return [Shard(i.filename, i.skip, i.take, i.examples_in_shard) for i in info.file_instructions]
    files = map(os.fspath, info.filepaths)
    return [Shard(file, 0, count, count) for file, count in zip(files, info.shard_lengths, strict=True)]


def unique(shards):
    """The files of shards, each once, with their numbers of records: path -> count."""
    return {shard.filename: shard.examples_in_shard for shard in shards}


def of_tfds(builder, split, features):
    """The examples of a split that TFDS has written, in either format.

    Args:
        builder: from `reading.open_builder`.
        split: its name in TFDS, or a slice.
        features: the names of the image and the label.

    Raises:
        DataError: a file is truncated, holds another number of records or bytes than TFDS wrote, or is a copy
            of another.
    """
    found = shards(builder, split)
    files = unique(found)
    _check_copies(files, builder.info.splits)
    if builder.info.file_format.value != 'tfrecord':
        for file, count in files.items():
            _check_array_record(file, count)
        return ArrayRecords(found, features)
    start, length = tfrecord.find_records(files, f'{builder.name}-{split}')
    if split in builder.info.splits:
        _check_bytes(builder, split, length)
    first = dict(zip(files, itertools.accumulate(files.values(), initial=0), strict=False))
    rows = np.concatenate([np.arange(s.take) + first[s.filename] + s.skip for s in found])
    return TFRecords(found, features, start[rows], length[rows])


def _check_bytes(builder, split, length):
    """Raises DataError unless records of these lengths are as many bytes as the metadata has it."""
    expected, there = int(builder.info.splits[split].num_bytes), int(length.sum())
    # 0: unknown. TFDS counts the records, or, where it wrote them with Beam and unshuffled, the files.
    if expected not in (0, there, there + tfrecord.FRAME * len(length)):
        raise DataError(
            f'{builder.data_dir}: the records of {split!r} have {there} bytes, and by dataset_info.json '
            f'{expected}: a file is of another split, version or copy. Copy or prepare the data again'
        )


def _check_copies(files, splits):
    """Raises DataError if one of `files` has the content of another file of the splits."""
    by_size = collections.defaultdict(list)
    for info in splits.values():
        for path in map(os.fspath, info.filepaths):
            if os.path.exists(path):
                by_size[os.stat(path).st_size].append(path)
    for same in by_size.values():
        if len(same) > 1 and not files.keys().isdisjoint(same):
            ends = {}
            for path in same:
                other = ends.setdefault(_ends_of(path), path)
                if other != path and not files.keys().isdisjoint((path, other)):
                    raise DataError(
                        f'{path} has the same content as {os.path.basename(other)}: one was copied over the '
                        'other. Copy or prepare the data again'
                    )


def _ends_of(path):
    with open(path, 'rb') as file:
        head = file.read(COMPARED)
        file.seek(-min(COMPARED, os.fstat(file.fileno()).st_size), os.SEEK_END)
        return head, file.read()


def _check_array_record(file, count):
    try:
        reader = _array_record(file)
        there = reader.num_records()
        reader.close()
    except UNREADABLE as error:
        # The index of the records is at the end of such a file.
        raise DataError(
            f'{file} is truncated or damaged ({first_line(error)}); copy or prepare it again'
        ) from error
    if there != count:
        raise DataError(f'{file} holds {there} records, not {count}; copy or prepare it again')


def _array_record(file):
    from array_record.python import array_record_module

    return array_record_module.ArrayRecordReader(
        file, options='readahead_buffer_size:0', file_reader_buffer_size=32768
    )
