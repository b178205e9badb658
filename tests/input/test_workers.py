"""The worker processes: what they make, when they end, and the errors they cause."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from resizemix_jax.errors import DataError, RunError
from resizemix_jax.input import pipeline, workers
from tests.bucketed import BucketedSplit, bucketed
from tests.input.batches import assert_same
from tests.input.miniature import read


def test_the_processes_end_with_the_iterator(written):
    batches = pipeline.train_batches(read(written['tfrecord']), 8, 0, 0, 100, workers=2)
    next(batches)
    pids = children()
    assert len(pids) == 2
    batches.close()
    assert not any(map(alive, pids))


@pytest.mark.parametrize('count', [1, 2])
@pytest.mark.parametrize('share', [(0, 1), (1, 2)])
def test_the_processes_make_the_batches_that_this_one_makes(count, share):
    split = bucketed(streamed=True).read('train', '')
    here, there = (pipeline.train_batches(split, 4, 3, 2, 14, share, number) for number in (0, count))
    assert_same(there, here)
    split = bucketed(streamed=True).read('eval', '')
    assert_same(*(pipeline.eval_batches(split, 4, share, number) for number in (0, count)))


class Mixed(BucketedSplit):
    """Its batches are of two buckets."""

    def order(self, seed, epoch, batch):
        return np.arange(self.size)[: self.steps(batch) * batch].reshape(-1, batch)


class Wrong(BucketedSplit):
    """Its batches have an array that no bucket has."""

    def batch(self, rows, draw):
        return super().batch(rows, draw) | {'area': np.zeros(len(rows))}


@pytest.mark.parametrize(
    ('kind', 'message'),
    [
        (Mixed, r'rows of a batch must belong to one bucket, not to \[0, 1\]'),
        (Wrong, 'a batch has .*area float64'),
    ],
)
def test_a_split_that_breaks_its_contract_ends_the_processes(kind, message, monkeypatch):
    monkeypatch.setattr(workers, 'PART', 1)
    with pytest.raises(DataError, match=message):
        list(pipeline.train_batches(kind(41, 0, True), 4, 0, 0, 5, workers=2))
    assert not children()


def test_what_fails_in_a_process_is_one_sentence_here(written, capfd):
    split = read(written['tfrecord'])
    split.num_classes = None  # a bug, say
    with pytest.raises(RunError, match='a worker process of the input failed: TypeError: '):
        list(pipeline.train_batches(split, 8, 0, 0, 5, workers=2))
    assert 'Traceback' in capfd.readouterr().err and not children()


def test_a_process_that_is_killed_is_missed(written):
    batches = pipeline.train_batches(read(written['tfrecord']), 8, 0, 0, 1000, workers=2)
    next(batches)
    os.kill(children()[0], signal.SIGKILL)
    with pytest.raises(RunError, match=r'ended with exit code -9. If memory ran out \(-9\), use fewer'):
        list(batches)
    assert not children()


SCRIPT = """
import sys, time
from resizemix_jax.input import pipeline
from resizemix_jax.datasets.imagenet import imagenet
if __name__ == '__main__':
    split = imagenet(image_size=32).read('train', sys.argv[1])
    batches = pipeline.train_batches(split, 8, 0, 0, 10**6, workers=2)
    for number, batch in enumerate(batches):
        if number in (0, 20):
            print(number, flush=True)
        time.sleep(0.02)
"""


@pytest.mark.parametrize('ending', [signal.SIGKILL, signal.SIGINT])
@pytest.mark.slow
def test_signals_to_all_leave_the_processes_at_work_and_no_orphans(ending, written, tmp_path):
    script = tmp_path / 'run.py'
    script.write_text('import signal\nsignal.signal(signal.SIGTERM, lambda *a: None)\n' + SCRIPT)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    run = subprocess.Popen(
        [sys.executable, str(script), str(written['tfrecord'])], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | {'PYTHONPATH': root},
    )  # fmt: skip
    try:
        assert run.stdout.readline() == '0\n'
        pids = children(run.pid)
        assert len(pids) == 2
        os.killpg(run.pid, signal.SIGTERM)  # what a scheduler does; the parent goes on, as it does to save
        assert run.stdout.readline() == '20\n' and all(map(alive, pids))
        os.kill(run.pid, ending)
        run.communicate(timeout=20)
        until(lambda: not any(map(alive, pids)))
    finally:
        run.kill()


def test_the_processes_import_neither_jax_nor_tfds():
    code = (
        'import sys, resizemix_jax.input.streams, resizemix_jax.input.records; '
        'assert not {"jax", "tensorflow_datasets", "tensorflow", "flax"} & set(sys.modules)'
    )
    subprocess.run([sys.executable, '-c', code], check=True)


@pytest.mark.parametrize('size', [1, 7, 8, 37, 64, 512])
@pytest.mark.parametrize('count', [1, 2, 16, 200])
def test_a_batch_is_divided_equally(size, count):
    parts = workers.divide(size, count)
    assert size % parts == 0 and size // parts <= workers.PART
    if size == 512:
        assert parts * workers.SLOTS >= 2 * count


def children(pid=None):
    """The processes that decode for a process, by their ids."""
    text = subprocess.run(
        ['ps', '-ww', '-o', 'pid=,args=', '--ppid', str(pid or os.getpid())],
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = [line.split(maxsplit=1) for line in text.stdout.splitlines()]
    return [int(pid) for pid, command in lines if 'spawn_main' in command]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError('it did not come to be')
