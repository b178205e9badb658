"""The signals that ask a run to stop: SIGTERM of spot machines and schedulers, Ctrl-C, a lost terminal."""

import itertools
import os
import signal
import threading

from jax.experimental import multihost_utils

from resizemix_jax.devices import parallel

SIGNALS = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


class Watch:
    """A context in which a signal only sets `requested`; the loop then saves and ends by itself.

    A second Ctrl-C interrupts as usual. What is ignored stays ignored: SIGHUP under nohup, SIGINT in a
    shell's background. With several processes it is enough that one of them gets a signal: JAX's preemption
    service, which watches SIGTERM, picks a future turn, from which on `requested` is true on all of them. So
    every process must ask once a turn.

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

    @property
    def signalled(self):
        """Whether a signal came to this process, the only one; unlike `requested`, to be asked at any time.

        Several processes can only save together, so a single one of them has nothing to decide.
        """
        return bool(self.reason)

    def __enter__(self):
        # Python handles signals in the main thread only; elsewhere (a notebook's worker) nothing is watched.
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS if self._alone else SIGNALS[1:]:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note if self._alone else self._pass_on)
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        if number == signal.SIGINT and self.reason == signal.SIGINT.name:
            raise KeyboardInterrupt
        self.reason = self.reason or signal.Signals(number).name

    def _pass_on(self, number, frame):
        """Makes a signal a SIGTERM, for the preemption service; a second Ctrl-C interrupts."""
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        os.kill(os.getpid(), signal.SIGTERM)
