"""Where a run's numbers go: metrics.jsonl (the truth), TensorBoard events, log lines, a progress bar.

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
from resizemix_jax.run import files
from resizemix_jax.run.events import Events

log = logging.getLogger(__name__)

METRICS, EVENTS = 'metrics.jsonl', 'events'


class Writer:
    """Writes rows of metrics, each for a step; `rows` is all of them, also those of earlier sessions.

    Opened at step k, it drops the rows after k: those steps will be computed again.

    Args:
        workdir: pathlib.Path.
        step: the number of steps taken so far.
        last: the number of the last step, for the progress bar.
    """

    def __init__(self, workdir, step, last):
        self.workdir = workdir
        path = workdir / METRICS
        self.rows = processes.run_on_host_0(lambda: _rows_until(path, step))
        self._outputs = []
        if processes.first():
            self._file, self._events = files.Appender(path), Events(workdir / EVENTS, step + 1)
            self._outputs = [self._file, self._events]
        self._bar = tqdm.tqdm(
            total=last, initial=step, unit='step', leave=False, disable=not sys.stderr.isatty()
        )

    def write(self, step, values):
        """Writes a row: `values` maps names to numbers."""
        row = {'step': step, **values}
        self.rows.append(row)
        if self._outputs:
            self._file.append_row(row)
            self._events.write(step, values)
        log.info('[%d] %s', step, ', '.join(f'{name}={_format(value)}' for name, value in values.items()))

    def progress(self, step):
        """Moves the progress bar to `step`."""
        self._bar.update(step - self._bar.n)

    def close(self):
        self._bar.close()
        for output in self._outputs:
            output.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def log_to_stderr():
    """Shows this package's log at INFO, in absl's format; of the libraries', warnings only."""
    flags.FLAGS.mark_as_parsed()  # the command has its own; absl warns until these are
    absl_logging.use_absl_handler()
    absl_logging.set_verbosity(absl_logging.WARNING)
    ours = logging.getLogger('resizemix_jax')
    ours.setLevel(logging.INFO)
    ours.addHandler(_BarAwareHandler())
    ours.propagate = False


@contextlib.contextmanager
def shown_log():
    """A context in which this package's log is shown, at INFO, to the script or notebook that calls it.

    One that has set a level, of this package's logger or of the root's, has decided itself. Its own handlers
    are used; the plain one to stderr, which libraries set up by logging, is not, since it breaks the bar.
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
        with tqdm.tqdm.external_write_mode(file=sys.stderr):
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
    rows = [row for row in read_rows(path) if row['step'] <= step]
    files.write_rows(path, rows)
    return rows


def _format(value):
    return f'{value:d}' if isinstance(value, int) else f'{value:.5g}'
