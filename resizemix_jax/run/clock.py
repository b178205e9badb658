"""Where the time of a run goes: training, evaluation, waiting for data."""

import contextlib
import time

UNITS = (('h', 3600), ('min', 60))


def unit(seconds):
    """The unit to give a time in: its name, and its seconds."""
    if 0 < seconds < 1:
        return 'ms', 1e-3
    return next(((name, size) for name, size in UNITS if seconds >= 2 * size), ('s', 1))


def duration(seconds):
    """A time in words."""
    name, size = unit(seconds)
    return f'{seconds / size:.3g} {name}'


class Clock:
    """Counts a session's seconds on top of those of the sessions before it.

    Rates are of training alone: `restart` begins an interval, `pause` leaves something out of it.

    Args:
        before: seconds of the sessions before.
        peak: FLOP per second that all devices together can do, see `devices.peak`; None if it is not known.
        compiled_before: seconds of compilation of the sessions before.
    """

    def __init__(self, before, peak=None, compiled_before=0.0):
        self._begin = time.perf_counter() - before
        self._peak = peak
        self._compiled = compiled_before
        self._pauses = 0
        self._trained = self._evaluated = 0.0  # seconds in this session
        self._taken = self._evaluations = 0  # their steps and evaluations
        self.restart()

    def totals(self):
        """The run's seconds so far over all its sessions: everything, and the compilation in it."""
        return {'seconds': time.perf_counter() - self._begin, 'compile_seconds': self._compiled}

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
        """The time inside is not of the interval; pauses may lie in each other."""
        start = time.perf_counter()
        self._pauses += 1
        yield
        self._pauses -= 1
        if not self._pauses:
            self._start += time.perf_counter() - start

    @contextlib.contextmanager
    def evaluating(self):
        """The time inside is an evaluation, and not of the interval."""
        start, compiled = time.perf_counter(), self._compiled
        with self.pause():
            yield
        self._evaluated += time.perf_counter() - start - (self._compiled - compiled)
        self._evaluations += 1

    def left(self, steps, evaluations):
        """The time that so many steps and evaluations will take, in words; '' before there was a step.

        By the mean of this session's, without compilation. Evaluations are only counted before there was one.
        """
        taken = self._taken + self._steps
        if steps and not taken:
            return ''
        seconds = steps * (self._trained + time.perf_counter() - self._start) / max(taken, 1)
        if evaluations and not self._evaluations:
            more = f', plus {evaluations} evaluation{"s" if evaluations > 1 else ""}'
        else:
            more, seconds = '', seconds + evaluations * self._evaluated / max(self._evaluations, 1)
        return f'{duration(round(seconds))} left{more}'

    @contextlib.contextmanager
    def compiling(self):
        """The time inside is compilation, and not of the interval."""
        start = time.perf_counter()
        with self.pause():
            yield
        self._compiled += time.perf_counter() - start

    def first_calls(self, step, shapes):
        """`step`, a function of (state, batch, ...), with its compilation counted.

        It compiles in its first call with a batch of new shapes, if it was not compiled before.

        Args:
            shapes: batch -> its shapes, hashable.
        """
        seen = set()

        def call(state, batch, *rest):
            found = shapes(batch)
            new = found not in seen
            seen.add(found)
            with self.compiling() if new else contextlib.nullcontext():
                return step(state, batch, *rest)

        return call

    def rates(self, batch_size):
        """The interval's rates, then a new interval.

        Returns:
            dict of images_per_second, data_wait_share (of the time) and, where the peak is known,
            model_flops_utilization: FLOP per second as a share of the peak.
        """
        seconds = max(time.perf_counter() - self._start, 1e-9)
        self._trained += seconds
        self._taken += self._steps
        rates = {
            'images_per_second': self._steps * batch_size / seconds,
            'data_wait_share': self._waited / seconds,
        }
        if self._peak:
            rates['model_flops_utilization'] = self._flops / seconds / self._peak
        self.restart()
        return rates
