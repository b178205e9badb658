"""A trace of a few steps, for TensorBoard's profile plug-in or xprof."""

import logging

import jax

from resizemix_jax.errors import first_line
from resizemix_jax.run import files

log = logging.getLogger(__name__)


class Profile:
    """Traces `steps` steps into `directory`, from the second one after `first` on: that one compiles.

    A context: a run that ends within the trace, by a signal or an error, ends the trace too. A process has
    one trace at a time, and one left open would keep recording and refuse the next run's. A trace that fails
    only logs a warning: the training goes on.
    """

    def __init__(self, directory, first, steps):
        self._directory = directory
        self._start, self._stop = first + 1, first + 1 + steps
        self._step = first
        self._open = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._open:
            self._guarded(self._end)

    def at(self, step):
        """To be called between steps; `step` of them are done."""
        self._step = step
        if step == self._start < self._stop:
            self._guarded(self._begin)
        elif step == self._stop and self._open:
            self._guarded(self._end)

    def _guarded(self, action):
        try:
            action()
        except Exception as error:
            log.warning('No trace is written: %s', first_line(error))

    def _begin(self):
        files.make_directory(self._directory)  # JAX would make it at the end, and not recover from an error
        jax.profiler.start_trace(str(self._directory))
        self._open = True

    def _end(self):
        self._open = False
        jax.profiler.stop_trace()
        log.info('The trace of steps %d to %d is in %s', self._start + 1, self._step, self._directory)
