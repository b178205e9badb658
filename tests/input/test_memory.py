import multiprocessing

import numpy as np

from resizemix_jax.input import memory
from tests.bucketed import BUCKETS


def test_arrays_and_rows_of_all_parts_are_apart():
    """Each is filled with a number of its own, and still has it when all are filled."""
    shared = memory.Memory(multiprocessing.get_context('spawn'), BUCKETS, parts=2, count=3, workers=2)
    places = [(slot, part) for slot in range(memory.SLOTS) for part in range(2)]
    for bucket in range(len(BUCKETS)):
        filled = [
            array
            for slot, part in places
            for array in (*shared.arrays(slot, part, bucket).values(), shared.rows(slot, part))
        ] + [shared.place(worker) for worker in range(2)]
        for number, array in enumerate(filled):
            array[...] = number
        for number, array in enumerate(filled):
            np.testing.assert_array_equal(array, number)
        for name, (shape, dtype) in BUCKETS[bucket].items():
            array = shared.arrays(0, 0, bucket)[name]
            assert array.shape == (3, *shape) and array.dtype == dtype
