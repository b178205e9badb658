"""The memory that the training shares with the processes that make its batches."""

import math
import os
import shutil
import tempfile

import numpy as np

from resizemix_jax.errors import RunError

SLOTS = 3  # batches in it: one in use, the others being made
ALIGNMENT = 64  # bytes, of each array
SHARED = '/dev/shm'
CHUNK = 2**22  # bytes that multiprocessing wants of it for an array that needs less
NOWHERE = -1


class Memory:
    """The rows of each batch that is being made, its arrays, and the places of the workers.

    Args:
        context: of `multiprocessing`.
        buckets: as `dataset.Split.buckets`.
        parts: of a batch.
        count: examples of a part.
        workers: the number of processes.

    Raises:
        RunError: there is too little room for it.
    """

    def __init__(self, context, buckets, parts, count, workers):
        self.buckets, self.parts, self.count = buckets, parts, count
        self.room = max(_layout(bucket, count)[1] for bucket in buckets)
        check_room(SLOTS * parts * (self.room + 8 * count) + 24 * workers)
        # Not bound to the size of /dev/shm, which is small in containers, and gone with the last process.
        self.rows_buffer = context.RawArray('q', SLOTS * parts * count)
        self.buffer = context.RawArray('B', SLOTS * parts * self.room)
        self.places_buffer = context.RawArray('q', [NOWHERE] * (3 * workers))

    def place(self, worker):
        """Where a worker is, int64 [3]: slot, part, row; NOWHERE if it waits or has not said. Writable."""
        return np.frombuffer(self.places_buffer, np.int64, 3, worker * 24)

    def rows(self, slot, part):
        """The rows of a part, int64 [count]; writable."""
        place = (slot * self.parts + part) * self.count
        return np.frombuffer(self.rows_buffer, np.int64, self.count, place * 8)

    def arrays(self, slot, part, bucket):
        """The arrays of a part of a batch of bucket number `bucket`, [count, ...]; writable."""
        start = (slot * self.parts + part) * self.room
        return {
            name: np.frombuffer(self.buffer, dtype, math.prod(shape), start + offset).reshape(shape)
            for name, (offset, shape, dtype) in _layout(self.buckets[bucket], self.count)[0].items()
        }


def check_room(size):
    """Raises RunError unless `size` bytes fit into /dev/shm or else the directory of temporary files.

    multiprocessing takes memory from the first where that has room, otherwise from the second, as a sparse
    file: the process that writes to it where the disk is full is ended by SIGBUS.
    """
    last = tempfile.gettempdir()
    free = {place: shutil.disk_usage(place).free for place in (SHARED, last) if os.path.isdir(place)}
    if free[last] < size and free.get(SHARED, 0) < size + CHUNK:
        found = ', '.join(f'{place} has {count / 1e6:.1f} MB free' for place, count in free.items())
        raise RunError(
            f'the worker processes need {size / 1e6:.1f} MB of shared memory in one place, and {found}. '
            'Give /dev/shm more (docker run --shm-size=SIZE), set TMPDIR to a disk with room, use smaller '
            'batches, or make them in the training process with --config.workers=0'
        )


def _layout(bucket, count):
    """Where `count` examples of a bucket lie: (name -> (offset, shape, dtype), bytes in all)."""
    places, size = {}, 0
    for name, (shape, dtype) in bucket.items():
        places[name] = size, (count, *shape), np.dtype(dtype)
        size += -(-count * math.prod(shape) * np.dtype(dtype).itemsize // ALIGNMENT) * ALIGNMENT
    return places, size
