import os
import signal

import pytest

from resizemix_jax.devices.preemption import Watch


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_only_noted(number):
    before = signal.getsignal(number)
    with Watch() as watch:
        assert not watch.requested and watch.reason == ''
        os.kill(os.getpid(), number)
        assert watch.requested and watch.reason == number.name
        os.kill(os.getpid(), signal.SIGTERM)
        assert watch.reason == number.name
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_interrupts():
    with pytest.raises(KeyboardInterrupt), Watch() as watch:
        os.kill(os.getpid(), signal.SIGINT)
        assert watch.requested
        os.kill(os.getpid(), signal.SIGINT)
