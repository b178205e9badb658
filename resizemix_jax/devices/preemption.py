"""The signals that ask a run to stop: SIGTERM of spot machines and schedulers, Ctrl-C, a lost terminal."""

import contextlib
import itertools
import os
import signal
import threading

from jax.experimental import multihost_utils

from resizemix_jax.devices import parallel
from resizemix_jax.devices.leaving import SIGNALS, leave_terminal


class Watch:
    """A context in which a signal only sets `requested`; the loop then saves and ends by itself.

    A second Ctrl-C interrupts as usual. What is ignored stays ignored: SIGHUP under nohup, SIGINT in a
    shell's background. With several processes it is enough that one of them gets a signal, see `passed_on`:
    JAX's preemption service, which watches SIGTERM, picks a future turn, from which on `requested` is true on
    all of them. So every process must ask once a turn.

    Args:
        alone: whether this is the only process.

    Attributes:
        reason: the name of the signal that came, e.g. 'SIGTERM'; '' before.
    """

    def __init__(self, alone=True):
        self.reason = ''
        self._alone = alone
        self._turns = itertools.count()
        self._handlers = contextlib.ExitStack()

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
        if self._alone:
            self._handlers.enter_context(_handled(SIGNALS, self._note))
        return self

    def __exit__(self, *error):
        self._handlers.close()

    def _note(self, number, frame):
        if number == signal.SIGINT and self.reason == signal.SIGINT.name:
            raise KeyboardInterrupt
        leave_terminal()
        self.reason = self.reason or signal.Signals(number).name


@contextlib.contextmanager
def passed_on():
    """A context in which several processes take Ctrl-C and SIGHUP as SIGTERM, for the preemption service."""
    if parallel.processes()[1] == 1:
        yield
        return
    with _handled(SIGNALS[1:], _pass_on):
        yield


def _pass_on(number, frame):
    if number == signal.SIGINT:
        signal.signal(number, signal.default_int_handler)  # a second Ctrl-C interrupts
    os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def _handled(numbers, handler):
    """A context in which `handler` has those signals that are not ignored."""
    before = {}
    # Python handles signals in the main thread only; elsewhere (a notebook's worker) nothing is watched.
    if threading.current_thread() is threading.main_thread():
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
