"""A run's logger, in a thread of its own: it can neither end the training nor make it wait."""

import logging
import queue
import re
import threading
from typing import Any, NamedTuple

from resizemix_jax.devices import processes
from resizemix_jax.errors import ConfigError, first_line, not_installed
from resizemix_jax.find import bind
from resizemix_jax.run import files, tags

log = logging.getLogger(__name__)

MARKS = 'loggers.json'  # logger -> what it was given
PICTURE = re.compile(r'.+_(\d{8})\.png')
WAITING = 10_000  # the most rows and pictures that wait for a logger
# Seconds that the end of a run waits for it; a preempted machine has some 30 in all.
PATIENCE = {'done': 60, 'failed': 30, 'preempted': 10}
LATER = 'metrics.jsonl has all rows; if the run continues, the logger is first given those that it lacks'


def make(config):
    """The logger that a config names, on the first process; None on the others, or without one.

    Raises:
        ConfigError: its library is not installed, or a keyword is out of range.
    """
    made = []

    def check():
        try:
            made.append(bind('loggers', config.logger, config.logger_args)())
        except ImportError as error:
            reason = not_installed(error) or first_line(error)
            raise ConfigError(f'logger={config.logger!r}: {reason}') from error
        except ValueError as error:
            raise ConfigError(str(error)) from error

    processes.run_on_host_0(check)
    return made[0] if made else None


class Item(NamedTuple):
    """What a logger is given.

    Attributes:
        method: of the logger: 'row', 'picture' or 'close'.
        arguments: of it.
        mark: rises with every item of the same method; JSON.
    """

    method: str
    arguments: tuple
    mark: Any = None


class Delivery:
    """Hands items to a logger, each once, by its thread.

    Args:
        logger: see `resizemix_jax.loggers`.
        run: `loggers.Run`.
        rows: of metrics.jsonl, before this session.
    """

    def __init__(self, logger, run, rows):
        self._logger, self._run, self._name = logger, run, run.config['logger']
        self._given = 0  # rows at the newest step
        self._newest = -1
        self._queue = queue.Queue(WAITING)
        self._over = False
        items = [self._row(row['step'], tags.of_row(_values(row))) for row in rows]
        items = sorted(items + _pictures(run), key=lambda item: (item.arguments[0], item.method == 'picture'))
        self._thread = threading.Thread(target=self._deliver, args=(items,), name='logger', daemon=True)
        self._thread.start()

    def row(self, step, values):
        """Gives it a row, tag -> number."""
        self._put(self._row(step, values))

    def picture(self, step, tag, path):
        """Gives it a picture."""
        self._put(_picture(step, tag, path))

    def close(self, state, scores):
        """Ends it, and waits for that as long as `PATIENCE` has it."""
        self._put(Item('close', (state, scores)))
        if self._over:
            return
        self._thread.join(PATIENCE[state])
        if self._thread.is_alive():
            self._end(f'it has not finished after {PATIENCE[state]} s')

    def _row(self, step, values):
        self._given = self._given + 1 if step == self._newest else 1
        self._newest = step
        return Item('row', (step, values), [step, self._given])

    def _put(self, item):
        if self._over:
            return
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._end(f'{WAITING} rows wait for it')

    def _end(self, reason):
        """Ends the logger for this session, with one warning."""
        self._over = True
        log.warning('The logger %s is left out from here on: %s. %s', self._name, reason, LATER)

    def _deliver(self, items):
        try:
            marks = Marks(self._run, self._name)
            if not self._logger.begin(self._run):
                marks.clear()
            try:
                self._hand_over(items, marks)
            finally:
                marks.write()
        except Exception as error:  # of a library, a network, a disk
            if not self._over:
                self._end(f'{type(error).__name__}: {first_line(error)}')

    def _hand_over(self, items, marks):
        """Hands over items, and then what comes by the queue, until the logger is closed."""
        while True:
            for item in items:
                if self._over:
                    return
                if marks.is_new(item):
                    getattr(self._logger, item.method)(*item.arguments)
                    marks.add(item)
                if item.method == 'close':
                    return
            marks.write()
            items = [self._queue.get()] + [self._queue.get() for _ in range(self._queue.qsize())]


class Marks:
    """What a logger was given by this run, kept in WORKDIR/loggers.json.

    Args:
        run: `loggers.Run`; what another run was given, e.g. before this one began again from step 0, counts
            for nothing.
        name: of the logger.
    """

    def __init__(self, run, name):
        self._path, self._name = run.workdir / MARKS, name
        self._all = files.read_json(self._path) if files.exists(self._path) else {}
        self._own = self._all.get(name, {})
        self._id = run.id
        if self._own.get('run') != run.id:
            self.clear()

    def clear(self):
        """Forgets all."""
        self._own = {'run': self._id}

    def is_new(self, item):
        """Whether the logger was not given it."""
        return item.mark is None or item.mark > self._own.get(item.method, [-1])

    def add(self, item):
        """Notes that it was."""
        if item.mark is not None:
            self._own[item.method] = item.mark

    def write(self):
        """Keeps it."""
        if self._all.get(self._name) != self._own:
            self._all[self._name] = dict(self._own)
            files.write_json(self._path, self._all)


def _values(row):
    return {name: value for name, value in row.items() if name != 'step'}


def _picture(step, tag, path):
    return Item('picture', (step, tag, path), [step, tag])


def _pictures(run):
    """The pictures that earlier sessions drew during the training, up to the step of this one."""
    found = []
    for name in files.names(run.workdir / 'gallery'):
        path, match = run.workdir / 'gallery' / name, PICTURE.fullmatch(name)
        if match and int(match[1]) <= run.step:
            found.append(_picture(int(match[1]), tags.of_picture(path), path))
    return found
