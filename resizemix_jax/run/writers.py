"""Where a run's numbers go: metrics.jsonl (the truth), TensorBoard events, log lines, a progress bar.

Of several processes the first one writes the files; the others have the rows, and log them.
"""

import json
import logging
import os
import pathlib
import sys

import jax
import tensorboardX
import tqdm
from absl import logging as absl_logging

from resizemix_jax.devices import processes

log = logging.getLogger(__name__)


class Writer:
    """Writes rows of metrics, each for a step; `rows` is all of them, also those of earlier sessions.

    Opened at step k, it drops the rows after k: they are of a future that will be computed again.
    """

    def __init__(self, workdir, step, steps):
        self.workdir = workdir
        self._path = workdir / 'metrics.jsonl'
        self.rows = processes.run_on_host_0(lambda: _rows_until(self._path, step))
        writes = processes.first()
        path = self._path if writes else pathlib.Path(os.devnull)
        self._file = path.open('a', encoding='utf-8')
        self._events = tensorboardX.SummaryWriter(
            str(workdir / 'events'), purge_step=step + 1, write_to_disk=writes
        )
        self._bar = tqdm.tqdm(
            total=steps, initial=step, unit='step', leave=False, disable=not sys.stderr.isatty()
        )

    def write(self, step, values):
        """Writes a row: `values` maps names to numbers; those named ...top1, ...top5 are shares of 1."""
        row = {'step': step, **values}
        self.rows.append(row)
        self._file.write(json.dumps(row) + '\n')
        self._file.flush()
        for name, value in values.items():
            self._events.add_scalar(name, value, step)
        self._events.flush()
        text = ', '.join(f'{name}={_format(name, value)}' for name, value in values.items())
        log.info('[%d] %s', step, text)

    def progress(self, step):
        """Moves the progress bar to `step`."""
        self._bar.update(step - self._bar.n)

    def close(self):
        self._bar.close()
        self._file.close()
        self._events.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def log_to_stderr():
    """Shows this package's log at INFO, in absl's format; of the libraries', warnings only."""
    absl_logging.use_absl_handler()
    absl_logging.set_verbosity(absl_logging.WARNING)
    ours = logging.getLogger('resizemix_jax')
    ours.setLevel(logging.INFO)
    ours.addHandler(_AboveTheBar())
    ours.propagate = False


class _AboveTheBar(logging.Handler):
    """absl's handler, with the progress bar out of the way while a line is written."""

    def emit(self, record):
        with tqdm.tqdm.external_write_mode(file=sys.stderr):
            absl_logging.get_absl_handler().emit(record)


def _rows_until(path, step):
    """The rows of a metrics.jsonl up to a step; the later ones are dropped from the file too."""
    rows = [row for row in read_rows(path) if row['step'] <= step]
    part = path.with_suffix('.part')
    part.write_text(''.join(json.dumps(row) + '\n' for row in rows), 'utf-8')
    part.replace(path)
    return rows


def read_rows(path):
    """The rows of a metrics.jsonl, or none if there is no such file.

    A last line without its end, as a killed process leaves it, is dropped; so is, with a warning, any
    other line that is no row.
    """
    rows, dropped = sort_rows(path)
    for number in dropped:
        log.warning('%s: line %d is not a row of metrics and is dropped', path, number)
    return rows


def sort_rows(path):
    """The rows of a metrics.jsonl, and the numbers of the lines that are none; of no file, none of either."""
    rows, dropped = [], []
    text = path.read_text('utf-8', errors='replace') if path.exists() else ''
    for number, line in enumerate(text.splitlines(), 1):
        try:
            row = json.loads(line)
            row['step'] + 0
        except (ValueError, TypeError, KeyError):
            dropped.append(number)
        else:
            rows.append(row)
    return rows, dropped


def _format(name, value):
    if name.endswith(('top1', 'top5', 'share')):
        return f'{value:.2%}'
    return f'{value:d}' if isinstance(value, int) else f'{value:.5g}'


def log_parameters(params):
    """Logs how many parameters each block of a network has, and all together."""
    sizes = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        block = '/'.join(entry.key for entry in path[:2])
        sizes[block] = sizes.get(block, 0) + leaf.size
    width = max(map(len, sizes))
    lines = [f'{block:{width}}  {size:>12,}' for block, size in sizes.items()]
    lines.append(f'{"total":{width}}  {sum(sizes.values()):>12,}')
    log.info('Parameters:\n%s', '\n'.join(lines))
