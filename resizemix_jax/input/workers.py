"""Processes that make batches ahead of their use, in parts, into memory that they share with this process.

They are started anew (`spawn`) and import neither JAX nor TFDS, so one starts in about a second and takes
some 50 MB. They ignore SIGTERM and SIGINT, which a scheduler or Ctrl-C sends to all processes of a run
while this one still has to save; they end when it is done with them, or when it ends, however it does.
"""

import contextlib
import logging
import multiprocessing
import multiprocessing.connection
import multiprocessing.util
import os
import signal
import threading
import traceback

import numpy as np

from resizemix_jax.errors import RunError

log = logging.getLogger(__name__)

SLOTS = 3  # batches in shared memory: one is used, the others are being made
PART = 32  # examples, at most, that a process makes in one go
PATIENCE = 5.0  # seconds between looks at whether all processes are still there


def ahead(split, make, indices, size, share, workers):
    """make(share, index) for every index, in order.

    Args:
        split: `stream.Stream` that `make` reads; what it notes as damaged is noted here.
        make: pickles; (share, index) -> that share of batch `index`: dict of arrays, `images` among them.
        indices: of batches, a sequence.
        size: how many examples of a batch are this process'.
        share: (index, count) of the processes of the run.
        workers: how many processes; -1: one a core.
    """
    workers = workers if workers > 0 else _cores()
    team = _Team(split, size, share, workers)
    try:
        team.start(make, min(workers, team.parts * len(indices)))
        for position in range(min(SLOTS, len(indices))):
            team.ask(position, indices[position])
        for position in range(len(indices)):
            batch = team.collect(position)
            if position + SLOTS < len(indices):
                team.ask(position + SLOTS, indices[position + SLOTS])
            yield batch
    finally:
        team.stop()


def divide(size, workers):
    """How many parts a batch of `size` examples is made in: equal ones, and enough to keep everyone busy."""
    most = max(1, min(PART, size * SLOTS // (2 * max(workers, 1))))
    return next(size // part for part in range(most, 0, -1) if size % part == 0)


class _Team:
    def __init__(self, split, size, share, workers):
        self.split, self.share, self.parts = split, share, divide(size, workers)
        self.context = multiprocessing.get_context('spawn')
        shape = (SLOTS, self.parts, size // self.parts, *split.image_shape)
        # Not bound to the size of /dev/shm, which is small in containers, and gone with the last process.
        self.memory = self.context.RawArray('B', int(np.prod(shape)))
        self.images = np.frombuffer(self.memory, np.uint8).reshape(shape)
        self.tasks = self.context.SimpleQueue()
        self.made = [{} for _ in range(SLOTS)]  # the parts of each batch that are there
        self.processes, self.answers = [], []
        # At the latest before multiprocessing waits for them when this process ends.
        self.stop = multiprocessing.util.Finalize(None, _end, args=(self.processes,), exitpriority=10)

    def start(self, make, workers):
        for _ in range(workers):
            receive, send = self.context.Pipe(duplex=False)
            args = self.split, make, self.memory, self.images.shape, self.tasks, send
            process = self.context.Process(target=_work, args=args, daemon=True)
            with _signals_later():
                process.start()
            self.processes.append(process)
            self.answers.append(receive)
            send.close()

    def ask(self, position, index):
        """Has the batch `index` made, as number `position` of all."""
        process, count = self.share
        for part in range(self.parts):
            share = process * self.parts + part, count * self.parts
            self.tasks.put((position % SLOTS, part, share, index))

    def collect(self, position):
        """Waits for a batch."""
        made = self.made[position % SLOTS]
        while len(made) < self.parts:
            self._receive()
        parts = [made[part] for part in range(self.parts)]
        made.clear()
        batch = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        # A copy, since JAX may read it long after this memory has been written anew.
        images = self.images[position % SLOTS].copy()
        return {'images': images.reshape(-1, *self.split.image_shape)} | batch

    def _receive(self):
        for answer in multiprocessing.connection.wait(self.answers, PATIENCE):
            try:
                slot, part, rest, damaged = answer.recv()
            except (EOFError, OSError) as error:
                process = self.processes[self.answers.index(answer)]
                process.join(PATIENCE)
                raise RunError(
                    f'a process that decodes images ended with exit code {process.exitcode}. If memory ran '
                    'out (-9), use fewer with --config.workers=N; 0 decodes in the training process'
                ) from error
            if isinstance(rest, Exception):
                raise rest
            self.made[slot][part] = rest
            if damaged:
                self.split.note(damaged)


def _end(processes):
    for process in processes:
        process.kill()  # nothing that they do can be left half done
    for process in processes:
        process.join()


@contextlib.contextmanager
def _signals_later():
    """Holds SIGTERM and SIGINT back, also from a process that is started meanwhile, until it ignores them."""
    if not hasattr(signal, 'pthread_sigmask'):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(split, make, memory, shape, tasks, answers):
    """What a process does: takes tasks until it is ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    images = np.frombuffer(memory, np.uint8).reshape(shape)
    damaged = []
    split.note = damaged.extend  # only told here; counted by the parent
    split.be_alone()
    while True:
        slot, part, share, index = tasks.get()
        damaged.clear()
        try:
            batch = make(share, index)
            images[slot, part] = batch.pop('images')
        except RunError as error:
            batch = error
        except Exception as error:  # whatever it is, the parent has to know
            traceback.print_exc()
            batch = RunError(f'a process that decodes images failed: {type(error).__name__}: {error}')
        answers.send((slot, part, batch, tuple(damaged)))


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
