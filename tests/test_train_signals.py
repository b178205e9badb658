"""Signals and second starts, as the user of the command meets them."""

import signal
import subprocess

import pytest

from tests.command import ENVIRONMENT, ROOT, command
from tests.hosts import TINY, skip_if_ignored

LONG = (*TINY, '--config.epochs=3000', '--config.save_every_epochs=1000')


def started(workdir, words, number=None):
    """The command in a process of its own, once its log has `words` and it got a signal."""
    process = subprocess.Popen(
        command(*LONG, f'--workdir={workdir}'), cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    while words not in process.stderr.readline():
        assert process.poll() is None
    if number:
        process.send_signal(number)
    return process


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
@pytest.mark.slow
def test_a_signal_during_the_compilation_ends_at_once(number, tmp_path):
    skip_if_ignored(number)
    with started(tmp_path, 'Compiling the training step', number) as process:
        last = process.communicate(timeout=60)[1].splitlines()[-1]
    assert process.returncode == 75
    assert last == f'{number.name}: nothing was left to save; the same command continues'
    assert list((tmp_path / 'checkpoints').iterdir()) == []


@pytest.mark.slow
def test_a_second_start_is_refused_and_the_first_one_saves(tmp_path):
    with started(tmp_path, '[3] train_loss') as process:
        second = subprocess.run(
            command(*LONG, f'--workdir={tmp_path}'), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert second.returncode == 2 and 'Traceback' not in second.stderr
        assert f'{tmp_path} is in use by process {process.pid} on ' in second.stderr
        process.send_signal(signal.SIGTERM)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 75 and 'PreemptedError: SIGTERM: saved at step ' in error
