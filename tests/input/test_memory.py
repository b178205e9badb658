import multiprocessing
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from resizemix_jax.errors import RunError
from resizemix_jax.input import memory
from tests import small_disk
from tests.bucketed import BUCKETS

ROOT = pathlib.Path(__file__).parents[2]


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


def test_what_no_place_has_room_for_is_refused_with_the_numbers():
    largest = max(shutil.disk_usage(place).free for place in ('/dev/shm', tempfile.gettempdir()))
    with pytest.raises(RunError, match='the worker processes need .* MB of shared memory in one') as error:
        memory.check_room(2 * largest)
    memory.check_room(0)
    for words in ('/dev/shm has ', f'{tempfile.gettempdir()} has ', 'TMPDIR', '--config.workers=0'):
        assert words in str(error.value)


SCRIPT = """
from resizemix_jax.errors import RunError
from resizemix_jax.input import pipeline
from tests.bucketed import bucketed
split = bucketed(train_size=9000, streamed=True).read('train', '')
try:
    print(len(list(pipeline.train_batches(split, 2000, 0, 0, 3, workers=1))))
except RunError as error:
    print(error)
"""


@pytest.mark.parametrize(('shm', 'temporary'), [('64k', '64k'), ('64k', '8m'), ('8m', '64k')])
@pytest.mark.slow
def test_small_disks(shm, temporary, tmp_path, monkeypatch):
    """Where both were too small, the process was ended by SIGBUS."""
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    command = small_disk.mounted({'/dev/shm': shm, tmp_path: temporary}, sys.executable, '-c', SCRIPT)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if shm == temporary:
        found = f'/dev/shm has 0.1 MB free, {tmp_path} has 0.1 MB free'
        assert f'need 1.1 MB of shared memory in one place, and {found}. Give' in done.stdout
    else:
        assert done.stdout == '3\n'
