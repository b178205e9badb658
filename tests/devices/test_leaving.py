import os
import signal
import subprocess
import sys
import time

import pytest

from resizemix_jax.devices import leaving

BUSY = """
import hashlib, signal, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
from resizemix_jax.devices import leaving
with leaving.at_once(75):
    print('ready', flush=True)
    hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)  # long and outside Python, as a compiler is
"""
CHILD = """
import signal, sys, time
from resizemix_jax.devices import leaving
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
leaving.follow_parent()
print('ready', flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize('number', leaving.SIGNALS)
def test_a_signal_ends_the_process_even_within_a_compiler(number):
    with subprocess.Popen(
        [sys.executable, '-c', BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == 'ready\n'
            process.send_signal(number)
            assert process.wait(20) == 75
        finally:
            process.kill()
        assert (
            process.stderr.read() == f'{number.name}: nothing was left to save; the same command continues\n'
        )


def test_handlers_come_back_and_others_have_precedence():
    before = {number: signal.getsignal(number) for number in leaving.SIGNALS}
    seen = []
    with leaving.at_once(75):
        handler = signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)  # this process is still there
        signal.signal(signal.SIGTERM, handler)
    assert seen == [1] and {number: signal.getsignal(number) for number in leaving.SIGNALS} == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_handler_that_was_given_away_is_left_alone():
    """JAX's service, unknown to Python, has SIGTERM then: to set any handler would take it back."""
    before = {number: signal.getsignal(number) for number in leaving.SIGNALS}
    try:
        with leaving.at_once(75, given_away=(signal.SIGTERM,)):
            mine = signal.getsignal(signal.SIGTERM)
        after = {number: signal.getsignal(number) for number in leaving.SIGNALS}
    finally:
        signal.signal(signal.SIGTERM, before[signal.SIGTERM])
    assert mine is not before[signal.SIGTERM] and after == before | {signal.SIGTERM: mine}


LOST = """
import os, signal, sys, time
os.close({master})
from resizemix_jax.devices import leaving
open({ready!r}, 'w').close()
with leaving.at_once(75):
    time.sleep(60)
"""


def test_a_terminal_that_is_gone_is_no_error(tmp_path):
    """Its process gets SIGHUP, and can write nothing any more."""
    master, terminal = os.openpty()
    code = LOST.format(master=master, ready=str(tmp_path / 'ready'))
    with subprocess.Popen(
        [sys.executable, '-c', code], stdout=terminal, stderr=terminal, pass_fds=[master]
    ) as process:
        try:
            while not (tmp_path / 'ready').exists():
                assert process.poll() is None
                time.sleep(0.02)
            os.close(terminal)
            os.close(master)
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 75
        finally:
            process.kill()


def test_a_process_ends_with_the_one_that_started_it():
    theirs, ours = os.pipe()
    environment = os.environ | {leaving.LIFELINE: str(theirs)}
    with subprocess.Popen(
        [sys.executable, '-c', CHILD], env=environment, pass_fds=[theirs], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            os.close(theirs)
            assert process.stdout.readline() == 'ready\n' and process.poll() is None
            os.close(ours)
            assert process.wait(20) == 75
        finally:
            process.kill()
