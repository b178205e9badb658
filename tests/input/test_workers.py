"""The worker processes: what they make, when they end, and the errors they cause."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from resizemix_jax.errors import DataError, RunError
from resizemix_jax.input import pipeline, workers
from tests.bucketed import BucketedSplit, bucketed
from tests.input import miniature
from tests.input.batches import assert_same
from tests.input.miniature import read


@pytest.mark.slow
def test_the_processes_end_with_the_iterator(written):
    batches = pipeline.train_batches(read(written['tfrecord']), 8, 0, 0, 100, workers=2)
    next(batches)
    pids = children()
    assert len(pids) == 2
    batches.close()
    assert not any(map(alive, pids))


@pytest.mark.parametrize('count', [1, 2])
@pytest.mark.parametrize('share', [(0, 1), (1, 2)])
@pytest.mark.slow
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
@pytest.mark.slow
def test_a_split_that_breaks_its_contract_ends_the_processes(kind, message, monkeypatch):
    monkeypatch.setattr(workers, 'PART', 1)
    with pytest.raises(DataError, match=message):
        list(pipeline.train_batches(kind(41, 0, True), 4, 0, 0, 5, workers=2))
    assert not children()


@pytest.mark.slow
def test_what_fails_in_a_process_is_one_sentence_here(written, capfd):
    split = read(written['tfrecord'])
    split.num_classes = None  # a bug, say
    with pytest.raises(RunError, match='a worker process of the input failed: TypeError: '):
        list(pipeline.train_batches(split, 8, 0, 0, 5, workers=2))
    assert 'Traceback' in capfd.readouterr().err and not children()


@pytest.mark.slow
def test_a_process_that_is_killed_is_missed(written):
    batches = pipeline.train_batches(read(written['tfrecord']), 8, 0, 0, 1000, workers=2)
    next(batches)
    os.kill(children()[0], signal.SIGKILL)
    with pytest.raises(RunError, match=r'ended with exit code -9, .*. If memory ran out \(-9\), use fewer'):
        list(batches)
    assert not children()


class Fatal(BucketedSplit):
    """The process that reads row 7 does not come back; `how` says what becomes of it."""

    def __init__(self, how, told=True):
        super().__init__(41, 0, True)
        self.how, self.told = how, told

    def batch(self, rows, draw):
        for row in rows:
            if self.told:
                self.reading(int(row))
            if row == 7:
                self.how()
        return super().batch(rows, draw)


def crash():
    os.kill(os.getpid(), signal.SIGSEGV)


def hang():
    time.sleep(1000)


def freeze():
    os.kill(os.getpid(), signal.SIGSTOP)


@pytest.mark.parametrize(
    ('told', 'where'), [(True, 'at example 7'), (False, r'at one of the examples \d+, \d+, \d+, \d+')]
)
@pytest.mark.slow
def test_a_process_that_dies_names_its_example(told, where, monkeypatch):
    monkeypatch.setattr(workers, 'divide', lambda size, count: 1)
    with pytest.raises(RunError, match=f'ended with exit code -11, {where}. If memory'):
        list(pipeline.train_batches(Fatal(crash, told), 4, 0, 0, 20, workers=1))
    assert not children()


@pytest.mark.parametrize('how', [hang, freeze])
@pytest.mark.slow
def test_a_process_that_hangs_is_reported_and_a_signal_obeyed_meanwhile(how, monkeypatch, caplog):
    monkeypatch.setattr(workers, 'SLOW', 0.1)
    monkeypatch.setattr(workers, 'POLL', 0.05)
    batches = pipeline.train_batches(
        Fatal(how), 4, 0, 0, 20, workers=1, interrupted=lambda: 'is at example 7' in caplog.text
    )
    with pytest.raises(workers.Interrupted):
        list(batches)
    last = caplog.records[-1].message
    assert re.fullmatch(r'Waiting for a batch since \d+ s: worker process \d+ is at example 7', last)
    assert not children()


@pytest.mark.slow
def test_a_process_that_hangs_for_long_ends_the_run():
    batches = pipeline.train_batches(Fatal(hang), 4, 0, 0, 20, workers=2, timeout=8)
    with pytest.raises(RunError, match=r'no batch for 8 s: worker process \d+ is at example 7. Check'):
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


UNGUARDED = """
import sys
from resizemix_jax.datasets.folder import folder
from resizemix_jax.input import pipeline
print('begun', flush=True)
split = folder(source=sys.argv[1], image_size=8).read('train', '')
print(len(list(pipeline.train_batches(split, 4, 0, 0, 3, workers=2))), flush=True)
"""
IN_THE_SCRIPT = """
from tests.bucketed import BucketedSplit
from resizemix_jax.input import pipeline
class Mine(BucketedSplit):
    pass
list(pipeline.train_batches(Mine(41, 0, True), 4, 0, 0, 3, workers=1))
"""


def run_script(text, path, *arguments):
    path.write_text(text)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return subprocess.run(
        [sys.executable, str(path), *arguments], capture_output=True, text=True, timeout=100,
        env=os.environ | {'PYTHONPATH': root},
    )  # fmt: skip


@pytest.mark.slow
def test_a_script_without_a_guard_is_not_run_again(tmp_path):
    miniature.write_folders(tmp_path)
    ended = run_script(UNGUARDED, tmp_path / 'run.py', str(tmp_path))
    assert (ended.returncode, ended.stdout) == (0, 'begun\n3\n'), ended.stderr


def test_a_split_of_the_script_itself_is_refused(tmp_path):
    ended = run_script(IN_THE_SCRIPT, tmp_path / 'run.py')
    assert 'RunError: the split cannot be sent to worker processes' in ended.stderr
    assert (
        'Define its class in a module, not in the script that runs, or set --config.workers=0' in ended.stderr
    )


@pytest.mark.parametrize('ending', [signal.SIGKILL, signal.SIGINT])
@pytest.mark.slow
def test_signals_to_all_leave_the_processes_at_work_and_no_orphans(ending, written, tmp_path):
    script = tmp_path / 'run.py'
    script.write_text(
        'import signal\n'
        'for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, lambda *a: None)\n' + SCRIPT
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    run = subprocess.Popen(
        [sys.executable, str(script), str(written['tfrecord'])], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | {'PYTHONPATH': root},
    )  # fmt: skip
    try:
        assert run.stdout.readline() == '0\n'
        pids = children(run.pid)
        assert len(pids) == 2
        for number in (signal.SIGTERM, signal.SIGHUP):
            os.killpg(run.pid, number)  # what a scheduler does; the parent goes on, as it does to save
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
