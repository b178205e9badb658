"""Several processes on this machine, as hosts of one training: main.py, each with CPU devices of its own."""

import os
import pathlib
import signal
import socket
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]

# tests/tiny.py's run, as the command says it.
TINY = (
    '--config=configs/fake.py:size=8,classes=4',
    '--config.dataset_args.train_size=67', '--config.dataset_args.eval_size=37',
    '--config.model=tests.small',
    '--config.batch_size=16', '--config.eval_batch_size=16', '--config.epochs=3',
    '--config.log_every_steps=3',
)  # fmt: skip


def start(workdir, *flags, processes=2, devices=4, own=(), script='main.py'):
    """Starts the command on every process; `own` adds flags to the last one."""
    with socket.socket() as free:
        free.bind(('localhost', 0))
        address = f'localhost:{free.getsockname()[1]}'
    started = []
    for index in range(processes):
        env = dict(
            os.environ, JAX_PLATFORMS='cpu', JAX_NUM_CPU_DEVICES=str(devices),
            JAX_DISABLE_MOST_OPTIMIZATIONS='true', JAX_COORDINATOR_ADDRESS=address,
            JAX_NUM_PROCESSES=str(processes), JAX_PROCESS_ID=str(index), PYTHONPATH=str(ROOT),
        )  # fmt: skip
        more = own if index == processes - 1 else ()
        command = [sys.executable, script, '--multihost', f'--workdir={workdir}', *flags, *more]
        started.append(
            subprocess.Popen(
                command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        )
    return started


def finish(started, seconds=120):
    """(exit codes, outputs) of all of them."""
    try:
        outputs = [process.communicate(timeout=seconds)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    return [process.returncode for process in started], outputs


def wait_for(process, words):
    """Reads the process' output until a line has `words`; returns what was read."""
    seen = ''
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(seen)


def skip_if_ignored(number):
    """Skips a test of a signal that processes started here ignore, as those under nohup do."""
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip('what started the tests ignores it, so the run does')
