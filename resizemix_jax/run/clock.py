"""Where the time of a run goes: training, evaluation, waiting for data."""

import contextlib
import time


class Clock:
    """Counts a session's seconds on top of those of the sessions before it.

    Rates are of training alone: `restart` begins an interval, `pause` leaves something out of it.
    """

    def __init__(self, before):
        self._begin = time.perf_counter() - before
        self.restart()

    def total(self):
        """The run's seconds so far, everything included, over all its sessions."""
        return time.perf_counter() - self._begin

    def restart(self):
        """Begins a new interval."""
        self._start = time.perf_counter()
        self._steps = 0
        self._waited = 0.0

    def tick(self):
        """Counts a step in the interval."""
        self._steps += 1

    @contextlib.contextmanager
    def waiting(self):
        """The time inside counts as waiting for data."""
        start = time.perf_counter()
        yield
        self._waited += time.perf_counter() - start

    @contextlib.contextmanager
    def pause(self):
        """The time inside is not of the interval."""
        start = time.perf_counter()
        yield
        self._start += time.perf_counter() - start

    def rates(self, batch_size):
        """The interval's rates, then a new interval."""
        seconds = max(time.perf_counter() - self._start, 1e-9)
        rates = {
            'images_per_second': self._steps * batch_size / seconds,
            'data_wait_share': self._waited / seconds,
        }
        self.restart()
        return rates
