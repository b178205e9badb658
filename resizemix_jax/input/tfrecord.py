"""The index of TFRecord files, which were made to be read in order: random access to their records.

A record is its length (uint64, little endian), the masked CRC-32C of those 8 bytes, the data, and the
data's CRC. Finding the records takes one small read for each, so the index is cached in a file.
"""

import concurrent.futures
import hashlib
import io
import logging
import os
import pathlib
import tempfile
import zipfile

import numpy as np

from resizemix_jax.errors import DataError

log = logging.getLogger(__name__)

HEAD, FOOT = 12, 4  # bytes around the data
READERS = 16  # files scanned at a time: most of the time goes into waiting for a disk or network
CACHE = '~/.cache/resizemix_jax'


def find_records(files, counts, name):
    """The places of the records of some files, from the cache or else by scanning the files.

    Args:
        files: paths.
        counts: the number of records that each must hold.
        name: of their dataset and split, for the name of the cache file.

    Returns:
        start int64 [N], length int64 [N]: bytes, of the data of each record in its file, in order.

    Raises:
        DataError: a file is truncated, damaged, or holds another number of records.
    """
    files = [pathlib.Path(f) for f in files]
    stats = [f.stat() for f in files]
    key = repr([(f.name, s.st_size, s.st_mtime_ns) for f, s in zip(files, stats, strict=True)])
    kept = f'{name}.records.{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz'
    places = [files[0].parent / kept, pathlib.Path(CACHE).expanduser() / kept]
    for place in places:
        found = _load(place)
        if found is not None:
            break
    else:
        found = _scan_all(files, counts)
        _store(places, *found)
    start, length, number = found
    for file, count, there in zip(files, counts, number, strict=True):
        if count != there:
            raise DataError(f'{file} holds {there} records, not {count}; copy or prepare it again')
    return start, length


def masked_crc(data):
    """The masked CRC-32C of every row of uint8 [N, L], uint32 [N]."""
    crc = np.full(len(data), 0xFFFFFFFF, np.uint32)
    for column in data.T:
        crc = _TABLE[(crc ^ column) & 0xFF] ^ (crc >> 8)
    crc = ~crc
    return ((crc >> 15) | (crc << 17)) + np.uint32(0xA282EAD8)


def _table():
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, (crc >> 1) ^ np.uint32(0x82F63B78), crc >> 1)
    return crc


_TABLE = _table()


def _scan_all(files, counts):
    log.info('Indexing the %d records of %d files, once', sum(counts), len(files))
    found = []
    with concurrent.futures.ThreadPoolExecutor(READERS) as readers:
        for starts, lengths in readers.map(_scan, files):
            found.append((starts, lengths))
            if len(found) % max(len(files) // 10, 1) == 0:
                log.info('%d of %d files', len(found), len(files))
    starts, lengths = (np.concatenate(part) for part in zip(*found, strict=True))
    return starts, lengths, np.array([len(part[0]) for part in found])


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
    wrong = np.flatnonzero(masked_crc(heads[:, :8]) != np.ascontiguousarray(heads[:, 8:]).view('<u4')[:, 0])
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


def _load(place):
    try:
        with np.load(place) as found:
            return found['start'], found['length'], found['number']
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None  # missing or incomplete: it is rebuilt


def _store(places, start, length, number):
    """Writes to the first writable place, completely or not at all."""
    content = io.BytesIO()
    np.savez(content, start=start, length=length, number=number)
    for place in places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix='.records.', dir=place.parent) as scratch:
                part = pathlib.Path(scratch, 'part')
                part.write_bytes(content.getbuffer())
                os.replace(part, place)
        except OSError:
            continue
        log.info('Cached the record index in %s', place)
        return
    log.warning('Could not cache the record index in %s; it will be rebuilt next time', places[0].parent)
