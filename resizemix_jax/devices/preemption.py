"""The signals that ask a run to stop: SIGTERM of spot machines and schedulers, Ctrl-C, a lost terminal."""

import itertools
import signal
import threading

from jax.experimental import multihost_utils

from resizemix_jax.devices import parallel

SIGNALS = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


class Watch:
    """A context in which a signal only sets `requested`; the loop then saves and ends by itself.

    A second Ctrl-C interrupts as usual. With several processes SIGTERM alone is watched, and it is enough that one
    of them gets it: JAX's preemption service picks a future turn, from which on `requested` is true on all of
    them. So every process must ask once a turn.

    Attributes:
        reason: the name of the signal that came, e.g. 'SIGTERM'; '' before.
    """

    def __init__(self):
        self.reason = ''
        self._alone = parallel.processes()[1] == 1
        self._turns = itertools.count()
        self._before = {}

    @property
    def requested(self):
        """Whether to save and end."""
        due = not self._alone and not self.reason
        if due and multihost_utils.reached_preemption_sync_point(next(self._turns)):
            self.reason = signal.SIGTERM.name
        return bool(self.reason)

    def __enter__(self):
        # Python handles signals in the main thread only; elsewhere (a notebook's worker) nothing is watched.
        if self._alone and threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if number == signal.SIGINT and self.reason == signal.SIGINT.name:
            raise KeyboardInterrupt
        self.reason = self.reason or signal.Signals(number).name
