"""The memory that the training shares with the processes that make its batches."""

import math

import numpy as np

SLOTS = 3  # batches in it: one in use, the others being made
ALIGNMENT = 64  # bytes, of each array
NOWHERE = -1


class Memory:
    """The rows of each batch that is being made, its arrays, and the places of the workers.

    Args:
        context: of `multiprocessing`.
        buckets: as `dataset.Split.buckets`.
        parts: of a batch.
        count: examples of a part.
        workers: the number of processes.
    """

    def __init__(self, context, buckets, parts, count, workers):
        self.buckets, self.parts, self.count = buckets, parts, count
        self.room = max(_layout(bucket, count)[1] for bucket in buckets)
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


def _layout(bucket, count):
    """Where `count` examples of a bucket lie: (name -> (offset, shape, dtype), bytes in all)."""
    places, size = {}, 0
    for name, (shape, dtype) in bucket.items():
        places[name] = size, (count, *shape), np.dtype(dtype)
        size += -(-count * math.prod(shape) * np.dtype(dtype).itemsize // ALIGNMENT) * ALIGNMENT
    return places, size
