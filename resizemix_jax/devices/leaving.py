"""How a process ends before it trains, and with the one that started it. It comes before JAX is imported."""

import contextlib
import errno
import os
import signal
import sys
import termios
import threading

SIGNALS = signal.SIGTERM, signal.SIGINT, signal.SIGHUP
# The number of a pipe's end; the process that started this one has the other end.
LIFELINE = 'RESIZEMIX_JAX_LIFELINE'


@contextlib.contextmanager
def at_once(code, given_away=()):
    """A context before the first step: a signal ends the process with `code`, also while it compiles.

    It does so until another handler takes the signal, as `preemption.Watch` does. What was ignored stays
    ignored. Only in the main thread; elsewhere it does nothing.

    Args:
        code: the exit code.
        given_away: the signals whose handlers are not put back at the end, since code that Python does not
            know of has taken them for good.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # Python's handlers wait for the main thread, which may be in a compiler for minutes; this pipe does not.
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {n: signal.signal(n, _noted) for n in SIGNALS if signal.getsignal(n) is not signal.SIG_IGN}
    threading.Thread(target=_end, args=(reading, code), daemon=True).start()
    try:
        yield
    finally:
        for number in before.keys() - set(given_away):
            signal.signal(number, before[number])
        signal.set_wakeup_fd(woken)
        os.close(writing)


def follow_parent():
    """Sends this process SIGTERM when the one that started it ends, if that one gave it a lifeline."""
    lifeline = os.environ.pop(LIFELINE, '')
    if lifeline.isdecimal():
        threading.Thread(target=_follow, args=(int(lifeline),), daemon=True).start()


def leave_terminal():
    """Discards from now on what would be written to a terminal that is gone: writing to it is an error."""
    for descriptor in (1, 2):
        try:
            termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, descriptor)
                os.close(null)


def _follow(lifeline):
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)  # returns when the other end is closed
        os.kill(os.getpid(), signal.SIGTERM)


def _noted(number, frame):
    """Stands for a handler: the pipe has the signal."""


def _end(reading, code):
    while numbers := os.read(reading, 64):
        for number in numbers:
            if signal.getsignal(number) is _noted:
                name = signal.Signals(number).name
                leave_terminal()
                print(
                    f'{name}: nothing was left to save; the same command continues',
                    file=sys.stderr,
                    flush=True,
                )
                os._exit(code)
    os.close(reading)
