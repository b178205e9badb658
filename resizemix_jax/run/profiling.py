"""A trace of a few steps, for TensorBoard's profile plug-in or xprof."""

import logging

import jax

from resizemix_jax.errors import first_line

log = logging.getLogger(__name__)


class Profile:
    """Traces `steps` steps into `directory`, from the second one after `first` on: that one compiles."""

    def __init__(self, directory, first, steps):
        self._directory = directory
        self._start, self._stop = first + 1, first + 1 + steps

    def at(self, step):
        """To be called between steps; `step` of them are done. A trace that fails ends with a warning."""
        if self._start == self._stop:
            return
        try:
            self._at(step)
        except Exception as error:  # no reason to end a training
            self._stop = self._start
            log.warning('No trace is written: %s', first_line(error))

    def _at(self, step):
        if step == self._start:
            jax.profiler.start_trace(str(self._directory))
        elif step == self._stop:
            jax.profiler.stop_trace()
            log.info('The trace of steps %d to %d is in %s', self._start + 1, self._stop, self._directory)
