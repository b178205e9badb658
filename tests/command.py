"""The command in a process of its own, for the tests of it."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, 'JAX_PLATFORMS': 'cpu'}
SMALL = (
    '--config.model=tests.small', '--config.batch_size=16',
    '--config.eval_batch_size=16', '--config.log_every_steps=2',
)  # fmt: skip


def command(*flags):
    return [sys.executable, 'main.py', *flags]


def run(*flags, **env):
    """Runs the command with further variables; None takes one away."""
    given = {name: value for name, value in (ENVIRONMENT | env).items() if value is not None}
    return subprocess.run(command(*flags), cwd=ROOT, env=given, capture_output=True, text=True)
