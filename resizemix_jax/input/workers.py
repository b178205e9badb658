"""Worker processes that make batches ahead of their use, in parts, in memory shared with this process.

They are spawned and import neither JAX nor TFDS nor the script that runs, so one starts in about a second and
takes some 50 MB. They ignore SIGTERM, SIGINT and SIGHUP, which a scheduler, Ctrl-C or a lost terminal sends
to all processes of a run while this one still has to save. They end when this process has used their batches,
or exit with it, even if it is killed. Where each one is stands in shared memory, so that the example is named
at which one dies or hangs.
"""

import contextlib
import logging
import multiprocessing
import multiprocessing.connection
import multiprocessing.util
import os
import pickle
import signal
import sys
import threading
import traceback
import types

import numpy as np

from resizemix_jax.errors import DataError, RunError
from resizemix_jax.input.dataset import bucket_of
from resizemix_jax.input.memory import NOWHERE, SLOTS, Memory

log = logging.getLogger(__name__)

PART = 32  # the most examples of one task
PATIENCE = 5.0  # seconds for a process to end
POLL = 0.5  # seconds of waiting after which a signal to stop is looked for
SLOW = 10.0  # seconds of waiting after which it is logged; then after twice that, and so on
IGNORED = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


class Interrupted(Exception):  # noqa: N818 - not an error
    """The process was asked to stop while it waited for a batch."""


def prefetch(split, rows_of, indices, workers, interrupted=lambda: False, timeout=0):
    """The batches of `indices`, in order.

    Args:
        split: `dataset.Split`; it is pickled. Its `add_damaged` gets what `batch` reports in the workers.
        rows_of: index -> (rows, draw), what `split.batch` is called with; as many rows for every index.
        indices: a sequence of ints.
        workers: how many processes; -1: one a core.
        interrupted: () -> bool, called while a batch is waited for; True raises Interrupted.
        timeout: seconds without news of a worker that end the run; 0: none do.

    Raises:
        RunError: of `split.batch`, or a worker process failed, was killed, or hangs.
        Interrupted: see `interrupted`.
    """
    if not indices:
        return
    workers = workers if workers > 0 else _cores()
    team = _Team(split, len(rows_of(indices[0])[0]), workers, interrupted, timeout)
    try:
        team.start(min(workers, team.parts * len(indices)))
        for position in range(min(SLOTS, len(indices))):
            team.ask(position, *rows_of(indices[position]))
        for position in range(len(indices)):
            batch = team.collect(position)
            if position + SLOTS < len(indices):
                team.ask(position + SLOTS, *rows_of(indices[position + SLOTS]))
            yield batch
    finally:
        team.stop()


def divide(size, workers):
    """The number of equal parts to make a batch of `size` examples in, enough to keep all workers busy."""
    most = max(1, min(PART, size * SLOTS // (2 * max(workers, 1))))
    return next(size // part for part in range(most, 0, -1) if size % part == 0)


class _Team:
    def __init__(self, split, size, workers, interrupted, timeout):
        self.split, self.parts = split, divide(size, workers)
        self.interrupted, self.timeout = interrupted, timeout
        self.context = multiprocessing.get_context('spawn')
        self.memory = Memory(self.context, split.buckets, self.parts, size // self.parts, workers)
        self.tasks = self.context.SimpleQueue()
        self.made = [{} for _ in range(SLOTS)]  # of each batch: part -> its bucket
        self.processes, self.answers = [], []
        # At the latest before multiprocessing waits for them when this process ends.
        self.stop = multiprocessing.util.Finalize(None, _end, args=(self.processes,), exitpriority=10)

    def start(self, workers):
        for number in range(workers):
            receive, send = self.context.Pipe(duplex=False)
            args = number, self.split, self.memory, self.tasks, send
            process = self.context.Process(target=_work, args=args, daemon=True)
            try:
                with _signals_later(), _without_main():
                    process.start()
            except (pickle.PicklingError, AttributeError) as error:
                raise RunError(
                    f'the split cannot be sent to worker processes ({error}). Define its class in a module, '
                    'not in the script that runs, or set --config.workers=0'
                ) from error
            self.processes.append(process)
            self.answers.append(receive)
            send.close()

    def ask(self, position, rows, draw):
        """Starts making a batch, number `position` of all."""
        slot = position % SLOTS
        for part, some in enumerate(np.split(rows, self.parts)):
            self.memory.rows(slot, part)[:] = some
            self.tasks.put((slot, part, draw))

    def collect(self, position):
        """Waits for a batch."""
        slot = position % SLOTS
        made = self.made[slot]
        while len(made) < self.parts:
            self._receive()
        buckets = set(made.values())
        made.clear()
        if len(buckets) > 1:
            raise DataError(f'the rows of a batch must belong to one bucket, not to {sorted(buckets)}')
        bucket = buckets.pop()
        parts = [self.memory.arrays(slot, part, bucket) for part in range(self.parts)]
        # A copy, since JAX may read it long after this memory has been written again.
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _receive(self):
        """Takes the answers that have come; waits for one."""
        waited, report = 0.0, SLOW
        while not (ready := multiprocessing.connection.wait(self.answers, POLL)):
            if self.interrupted():
                raise Interrupted
            waited += POLL  # and not by a clock: a process that was stopped has not waited
            if self.timeout and waited >= self.timeout:
                raise RunError(
                    f'no batch for {waited:.0f} s: {self._places()}. Check the disk or network of the data; '
                    '--config.input_timeout=SECONDS waits longer, 0 for ever'
                )
            if waited >= report:
                log.warning('Waiting for a batch since %.0f s: %s', waited, self._places())
                report *= 2
        for answer in ready:
            self._take(answer)

    def _take(self, answer):
        try:
            slot, part, bucket, damaged = answer.recv()
        except (EOFError, OSError) as error:
            number = self.answers.index(answer)
            process = self.processes[number]
            process.join(PATIENCE)
            raise RunError(
                f'a worker process of the input ended with exit code {process.exitcode}, '
                f'{self._place(number)}. If memory ran out (-9), use fewer with --config.workers=N; 0 makes '
                'batches in the training process'
            ) from error
        if isinstance(bucket, Exception):
            raise bucket
        self.made[slot][part] = bucket
        if damaged:
            self.split.add_damaged(damaged)

    def _places(self):
        """What keeps the workers busy, in words."""
        busy = [number for number in range(len(self.processes)) if self.memory.place(number)[0] != NOWHERE]
        words = (f'worker process {self.processes[number].pid} is {self._place(number)}' for number in busy)
        return '; '.join(words) or 'the worker processes have not started'

    def _place(self, number):
        slot, part, row = self.memory.place(number).tolist()
        if slot == NOWHERE:
            return 'between two tasks'
        if row == NOWHERE:
            return f'at one of the examples {", ".join(map(str, self.memory.rows(slot, part)))}'
        return f'at {self.split.describe(row)}'


def _end(processes):
    for process in processes:
        process.kill()  # they write nothing that could be left incomplete
    for process in processes:
        process.join(PATIENCE)  # one that hangs in the kernel stays


@contextlib.contextmanager
def _signals_later():
    """Blocks the signals in IGNORED, also in a process started meanwhile, until that ignores them."""
    if not hasattr(signal, 'pthread_sigmask'):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _without_main():
    """Hides the script that runs from a process started meanwhile.

    It would be imported there, and so run again if it lacks the guard `if __name__ == '__main__'`.
    """
    main = sys.modules['__main__']
    sys.modules['__main__'] = types.ModuleType('__main__')
    try:
        yield
    finally:
        sys.modules['__main__'] = main


def _work(number, split, memory, tasks, answers):
    """What worker process `number` does: takes tasks until it is ended."""
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    place, damaged = memory.place(number), []

    def reading(row):
        place[2] = row

    split.reading = reading
    split.add_damaged = damaged.extend  # only collected here; counted by the parent
    split.limit_threads()
    while True:
        slot, part, draw = tasks.get()
        place[:] = slot, part, NOWHERE
        damaged.clear()
        try:
            batch = split.batch(memory.rows(slot, part).copy(), draw)
            answer = bucket_of(batch, split.buckets)
            for name, array in memory.arrays(slot, part, answer).items():
                array[...] = batch[name]
        except RunError as error:
            answer = error
        except Exception as error:  # the parent has to know of any error
            traceback.print_exc()
            answer = RunError(f'a worker process of the input failed: {type(error).__name__}: {error}')
        place[:] = NOWHERE
        answers.send((slot, part, answer, tuple(damaged)))


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
