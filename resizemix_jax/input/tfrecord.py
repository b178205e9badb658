"""The index of TFRecord files, which were made to be read in order: random access to their records.

A record is its length (uint64, little endian), the masked CRC-32C of those 8 bytes, the data, and the
data's CRC. Finding the records takes one small read for each, so the index is cached in a file. An index is
used if the first and the last record of each file are where it has them.
"""

import concurrent.futures
import logging
import os
import pathlib
import re

import numpy as np

from resizemix_jax import checksum
from resizemix_jax.errors import DataError
from resizemix_jax.input import cached

log = logging.getLogger(__name__)

HEAD, FOOT = 12, 4  # bytes around the data
FRAME = HEAD + FOOT
READERS = 16  # files scanned at a time: most of the time goes into waiting for a disk or network
NAMES = 'start', 'length', 'number'  # of the arrays of an index


def find_records(files, name):
    """The places of the records of some files, from the cache or else by scanning the files.

    Args:
        files: path -> the number of records that it must hold.
        name: of their dataset and split, for the name of the cache file.

    Returns:
        start int64 [N], length int64 [N]: bytes, of the data of each record in its file, in order.

    Raises:
        DataError: a file is truncated, damaged, or holds another number of records.
    """
    paths, counts = [pathlib.Path(f) for f in files], list(files.values())
    plain = re.sub(r'\W+', '-', name)
    make, check = lambda: _scan_all(paths, counts), lambda found: _check(found, paths)
    found = cached.arrays(paths, f'{plain}.records', 'record index', make, check)
    start, length, number = (found[name] for name in NAMES)
    for file, count, there in zip(paths, counts, number, strict=True):
        if count != there:
            raise DataError(f'{file} holds {there} records, not {count}; copy or prepare it again')
    return start, length


def read(opened, start, length):
    """The data of a record, a memoryview, from an opened file's descriptor.

    Raises:
        ValueError: its checksum is wrong, or the file ends before it.
    """
    record = os.pread(opened, length + FOOT, start)
    if len(record) != length + FOOT:
        raise ValueError('the file is shorter than when it was indexed')
    data = record[:length]
    if checksum.masked(data) != int.from_bytes(record[length:], 'little'):
        raise ValueError('the checksum of its record is wrong')
    return memoryview(data)


def _scan_all(files, counts):
    log.info('Indexing the %d records of %d files, once', sum(counts), len(files))
    found = []
    with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
        for starts, lengths in readers.map(_scan, files):
            found.append((starts, lengths))
            if len(found) % max(len(files) // 10, 1) == 0:
                log.info('%d of %d files', len(found), len(files))
    starts, lengths = (np.concatenate(part) for part in zip(*found, strict=True))
    return dict(zip(NAMES, (starts, lengths, np.array([len(part[0]) for part in found])), strict=True))


def _scan(file):
    """(start, length) of the records of a file, int64 each."""
    heads, starts, lengths, at = [], [], [], 0
    with open(file, 'rb', buffering=0) as opened:
        if hasattr(os, 'posix_fadvise'):
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        size = os.fstat(opened.fileno()).st_size
        while at < size:
            head = os.pread(opened.fileno(), HEAD, at)
            at += HEAD
            if len(head) == HEAD:
                heads.append(head)
                starts.append(at)
                lengths.append(int.from_bytes(head[:8], 'little'))
                at += lengths[-1] + FOOT
    heads = np.frombuffer(b''.join(heads), np.uint8).reshape(-1, HEAD)
    wrong = np.flatnonzero(~_valid(heads))
    if len(wrong):
        raise DataError(
            f'{file} is damaged: record {wrong[0]} has a wrong checksum; copy or prepare it again'
        )
    if at != size:
        raise DataError(
            f'{file} is truncated: it ends at byte {size}, within record {len(starts) - 1}; '
            'copy or prepare it again'
        )
    return np.array(starts, np.int64), np.array(lengths, np.int64)


def _valid(heads):
    """Whether the lengths have their checksums: heads uint8 [N, HEAD] -> bool [N]."""
    stored = np.ascontiguousarray(heads[:, 8:]).view('<u4')[:, 0]
    lengths = heads[:, :8].tobytes()
    return stored == [checksum.masked(lengths[at : at + 8]) for at in range(0, len(lengths), 8)]


def _check(found, files):
    """Raises ValueError unless the arrays are of these files."""
    start, length, number = (found[name] for name in NAMES)
    ends = np.cumsum(number)
    if len(number) != len(files) or not len(start) == len(length) == ends[-1]:
        raise ValueError('it is of other files')
    parts = [slice(end - count, end) for end, count in zip(ends, number, strict=True)]
    with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
        fits = readers.map(lambda file, part: _fits(file, start[part], length[part]), files, parts)
        if not all(fits):
            raise ValueError('it is of other records')


def _fits(file, start, length):
    """Whether a file's first and last record are at these places, and it ends with the last."""
    size = file.stat().st_size
    if not len(start):
        return size == 0
    with open(file, 'rb', buffering=0) as opened:
        heads = [os.pread(opened.fileno(), HEAD, int(start[i]) - HEAD) for i in (0, -1)]
    return (
        start[-1] + length[-1] + FOOT == size
        and [int.from_bytes(head[:8], 'little') for head in heads] == [length[0], length[-1]]
        and bool(_valid(np.frombuffer(b''.join(heads), np.uint8).reshape(2, HEAD)).all())
    )
