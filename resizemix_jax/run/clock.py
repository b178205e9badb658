"""Where the time of a run goes: training, evaluation, waiting for data."""

import contextlib
import time


class Clock:
    """Counts a session's seconds on top of those of the sessions before it.

    Rates are of training alone: `restart` begins an interval, `pause` leaves something out of it.

    Args:
        before: seconds of the sessions before.
        peak: FLOP per second that all devices together can do, see `devices.peak`; None if it is not known.
    """

    def __init__(self, before, peak=None):
        self._begin = time.perf_counter() - before
        self._peak = peak
        self.restart()

    def total(self):
        """The run's seconds so far, everything included, over all its sessions."""
        return time.perf_counter() - self._begin

    def restart(self):
        """Begins a new interval."""
        self._start = time.perf_counter()
        self._steps = 0
        self._flops = 0.0
        self._waited = 0.0

    def tick(self, flops=0.0):
        """Counts a step in the interval, of so many FLOP on all devices."""
        self._steps += 1
        self._flops += flops

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
        """The interval's rates, then a new interval.

        Returns:
            dict of images_per_second, data_wait_share (of the time) and, where the peak is known,
            model_flops_utilization: FLOP per second as a share of the peak.
        """
        seconds = max(time.perf_counter() - self._start, 1e-9)
        rates = {
            'images_per_second': self._steps * batch_size / seconds,
            'data_wait_share': self._waited / seconds,
        }
        if self._peak:
            rates['model_flops_utilization'] = self._flops / seconds / self._peak
        self.restart()
        return rates
