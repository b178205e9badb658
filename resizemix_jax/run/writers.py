"""Where a run's numbers go: metrics.jsonl (the truth), TensorBoard, a logger, log lines, a progress bar.

Of several processes the first one writes the files; the others have the rows, and log them.
"""

import contextlib
import logging
import sys

import jax
import tqdm
from absl import flags
from absl import logging as absl_logging

from resizemix_jax.devices import processes
from resizemix_jax.errors import PreemptedError, RunError
from resizemix_jax.run import files, storage, tags
from resizemix_jax.run import rows as sums
from resizemix_jax.run.delivery import Delivery
from resizemix_jax.run.events import Events

log = logging.getLogger(__name__)

METRICS, EVENTS = 'metrics.jsonl', 'events'


class Writer:
    """Writes rows of metrics, each for a step; `rows` is all of them, also those of earlier sessions.

    Opened at step k, it drops the rows after k: those steps will be computed again. The rows must reach their
    file; events that cannot be written are given up with a warning.

    Args:
        workdir: pathlib.Path.
        step: the number of steps taken so far.
        last: the number of the last step, for the progress bar.
        run: `loggers.Run`, which events and the logger begin with; None for rows alone.
        logger: of `delivery.make`, or None.

    Attributes:
        sum: of the rows, see `run.rows`.
    """

    def __init__(self, workdir, step, last, run=None, logger=None):
        self.workdir = workdir
        path = workdir / METRICS
        self.rows = processes.run_on_host_0(lambda: _rows_until(path, step))
        self.sum = sums.extended(sums.EMPTY, self.rows)
        self._file = self._events = self._delivery = None
        self._scores = {}
        if processes.first():
            self._file = files.Appender(path)
            self._guarded(lambda: self._open_events(step, run))
            self._delivery = Delivery(logger, run, self.rows) if logger else None
        self._bar = tqdm.tqdm(
            total=last, initial=step, unit='step', leave=False, disable=not sys.stderr.isatty()
        )

    def write(self, step, values, note=''):
        """Writes a row: `values` maps names to numbers. The log's line of it ends with `note`."""
        row = {'step': step, **values}
        self.rows.append(row)
        self.sum = sums.extended(self.sum, [row])
        if self._file:
            self._file.append_row(row)
        self._to_others('row', step, tags.of_row(values))
        shown = ', '.join(f'{name}={_format(value)}' for name, value in values.items())
        log.info('[%d] %s%s', step, shown, f'; {note}' if note else '')

    def picture(self, step, path):
        """Shows a picture of the gallery, a PNG file, in TensorBoard and the logger."""
        self._to_others('picture', step, tags.of_picture(path), path)

    def conclude(self, result):
        """Tells what the run, which is done, ends with: the content of result.json."""
        self._scores = tags.of_result(result)

    def sync(self):
        """Returns once all rows are on the disk, before a checkpoint counts on them."""
        if self._file:
            self._file.sync()

    def progress(self, step):
        """Moves the progress bar to `step`."""
        with contextlib.suppress(OSError):
            self._bar.update(step - self._bar.n)

    def close(self, state='done'):
        """Closes all; `state` is that of `resizemix_jax.loggers`."""
        with contextlib.suppress(OSError):
            self._bar.close()
        try:
            if self._file:
                self._file.close()
        finally:
            if self._events:
                step = self.rows[-1]['step'] if self.rows else 0
                self._guarded(lambda: self._events.close(step, self._scores))
            if self._delivery:
                self._delivery.close(state, self._scores)

    def _to_others(self, method, *arguments):
        if self._events:
            self._guarded(lambda: getattr(self._events, method)(*arguments))
        if self._delivery:
            getattr(self._delivery, method)(*arguments)

    def _open_events(self, step, run):
        self._events = Events(self.workdir / EVENTS, step + 1)
        if run:
            self._events.begin(run)

    def _guarded(self, function):
        """Runs what writes events; what cannot be written ends them, with a warning."""
        try:
            function()
        except RunError as error:
            self._events = None
            log.warning('No more TensorBoard events of this run are written: %s', error)

    def __enter__(self):
        return self

    def __exit__(self, kind, *error):
        stopped = 'preempted' if kind and issubclass(kind, PreemptedError) else 'failed'
        self.close(stopped if kind else 'done')


def log_to_stderr():
    """Shows this package's log at INFO, in absl's format; of the libraries', warnings only.

    For the process of a command; further calls do nothing.
    """
    ours = logging.getLogger('resizemix_jax')
    if any(isinstance(handler, _BarAwareHandler) for handler in ours.handlers):
        return
    storage.leave_out_complaints()
    flags.FLAGS.mark_as_parsed()  # the command has its own; absl warns until these are
    absl_logging.use_absl_handler()
    absl_logging.set_verbosity(absl_logging.WARNING)
    ours.setLevel(logging.INFO)
    ours.addHandler(_BarAwareHandler())
    ours.propagate = False


@contextlib.contextmanager
def shown_log():
    """A context in which this package's log is shown at INFO, for a script or notebook that calls the
    trainer.

    Where a level is set, of this package's logger or of the root's, nothing changes. Existing handlers are
    used, except the plain one to stderr that libraries set up by logging, since it breaks the bar.
    """
    ours, root = logging.getLogger('resizemix_jax'), logging.getLogger()
    if ours.level or ours.handlers or root.level != logging.WARNING:
        yield
        return
    plain = all(type(handler) is logging.StreamHandler for handler in root.handlers)
    handler = _BarAwareHandler() if plain else logging.NullHandler()
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = not plain
    try:
        yield
    finally:
        ours.propagate = True
        ours.setLevel(logging.NOTSET)
        ours.removeHandler(handler)


class _BarAwareHandler(logging.Handler):
    """absl's handler; clears the progress bar while it writes a line."""

    def emit(self, record):
        # A terminal that is gone, or a log on a full disk, is no reason to end a run.
        with contextlib.suppress(OSError), tqdm.tqdm.external_write_mode(file=sys.stderr):
            absl_logging.get_absl_handler().emit(record)


def read_rows(path):
    """The rows of a metrics.jsonl, or none if there is no such file.

    A last line without its end, as a killed process leaves it, is dropped with a warning; so is any other
    line that is not a row.
    """
    rows, dropped = files.read_rows(path)
    for number in dropped:
        log.warning('%s: line %d is not a row of metrics and is dropped', path, number)
    return rows


def log_parameters(params):
    """Logs the number of parameters of each block of a network, and of the network."""
    sizes = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        block = '/'.join(entry.key for entry in path[:2])
        sizes[block] = sizes.get(block, 0) + leaf.size
    width = max(map(len, sizes))
    lines = [f'{block:{width}}  {size:>12,}' for block, size in sizes.items()]
    lines.append(f'{"total":{width}}  {sum(sizes.values()):>12,}')
    log.info('Parameters:\n%s', '\n'.join(lines))


def _rows_until(path, step):
    """The rows of a metrics.jsonl up to a step; the later ones are dropped from the file too."""
    rows = read_rows(path)
    if rows and not step:
        log.warning('The run starts from step 0, as it has no checkpoint; the rows of %s are dropped', path)
    rows = [row for row in rows if row['step'] <= step]
    files.write_rows(path, rows)
    return rows


def _format(value):
    return f'{value:d}' if isinstance(value, int) else f'{value:.5g}'
