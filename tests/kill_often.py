"""Kills a run again and again, and compares what it comes to with a run that nothing stopped.

python -m tests.kill_often [--kills=20] [--processes=1] [--seed=0]

Not collected by pytest, for its length. The run is tests/hosts.py's, longer. SIGKILL comes at a random time:
half of them before a start's first checkpoint, half after it, so it also hits checkpoints half written.
Exit code 1 if anything differs.
"""

import argparse
import concurrent.futures
import pathlib
import random
import sys
import tempfile
import time

import jax
import numpy as np

from tests import hosts
from tests.devices.test_processes import config
from tests.test_train import final_state, rows

EPOCHS = 60
LONG = (*hosts.TINY, f'--config.epochs={EPOCHS}')


def attempt(workdir, processes, seconds=None):
    """Runs the command, killed after some seconds if they are given; returns whether it came to its end."""
    started = hosts.start(workdir, *LONG, processes=processes, devices=1)
    if seconds:
        time.sleep(seconds)
        alive = [process for process in started if process.poll() is None]
        for process in alive:
            process.kill()
        if alive:
            hosts.finish(started)
            return False
    codes, outputs = hosts.finish(started, seconds=600)
    if any(codes):
        sys.exit(f'exit codes {codes}:\n{outputs}')
    return True


def times(workdir, processes):
    """Runs the command to its end: the seconds to its first checkpoint, and all."""
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as other:
        done = other.submit(attempt, workdir, processes)
        while not done.done() and not any(p.name.isdigit() for p in workdir.glob('checkpoints/*')):
            time.sleep(0.1)
        first = time.monotonic() - begin
        done.result()
    return first, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    jax.config.update('jax_num_cpu_devices', args.processes)
    moments = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as scratch:
        unbroken, killed = pathlib.Path(scratch, 'unbroken'), pathlib.Path(scratch, 'killed')
        first, length = times(unbroken, args.processes)
        count, done = 0, False
        spans = (0.1, first), (first, first + (length - first) / 6)
        print(f'a run takes {length:.0f} s, its first checkpoint {first:.0f} s', flush=True)
        while count < args.kills and not done:
            done = attempt(killed, args.processes, moments.uniform(*moments.choice(spans)))
            count += not done
            steps = [p.name for p in killed.glob('checkpoints/*')]
            print(f'kill {count}: checkpoints {steps}', flush=True)
        if not done:
            attempt(killed, args.processes)
        made = config()
        made.epochs = EPOCHS
        states = [final_state(workdir, made) for workdir in (unbroken, killed)]
        equal = all(np.array_equal(a, b) for a, b in zip(states[0][0], states[1][0], strict=True))
        same = equal and states[0][1] == states[1][1] and rows(unbroken) == rows(killed)
        print(f'{count} kills; state, best checkpoint and metrics are {"the same" if same else "DIFFERENT"}')
    sys.exit(not same)


if __name__ == '__main__':
    main()
