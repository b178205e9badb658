import os
import signal

import pytest

from resizemix_jax.devices.preemption import SIGNALS, Watch


@pytest.fixture(autouse=True)
def handlers():
    """Python's own, whatever the tests were started from: a shell's background ignores SIGINT."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize('number', SIGNALS)
def test_a_signal_is_only_noted(number):
    before = signal.getsignal(number)
    with Watch() as watch:
        assert not watch.requested and not watch.signalled and watch.reason == ''
        os.kill(os.getpid(), number)
        assert watch.requested and watch.signalled and watch.reason == number.name
        os.kill(os.getpid(), signal.SIGTERM)
        assert watch.reason == number.name
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_interrupts():
    with pytest.raises(KeyboardInterrupt), Watch() as watch:
        os.kill(os.getpid(), signal.SIGINT)
        assert watch.requested
        os.kill(os.getpid(), signal.SIGINT)


def test_what_nohup_ignores_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Watch() as watch:
        os.kill(os.getpid(), signal.SIGHUP)
        assert not watch.requested
