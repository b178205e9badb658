"""Processes of `_turns.py` in several checkouts, and their ratio in paired rounds."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from benchmarks import _timing as timing

ROOT = pathlib.Path(__file__).parents[1]
WORKER = pathlib.Path(__file__).with_name('_turns.py')


@contextlib.contextmanager
def looping(checkout, argument, overrides, devices=0, nothing=False):
    """A function: number of turns -> the seconds that the loop of a checkout takes for them.

    Args:
        checkout: a directory with a version of this project.
        argument: of configs/fake.py.
        overrides: key -> value, of keys that every version has.
        devices: how many CPU devices; 0 for those of the machine.
        nothing: replace the network by one that computes nothing.
    """
    checkout = str(pathlib.Path(checkout).resolve())
    request = dict(argument=argument, overrides=overrides, devices=devices, nothing=nothing)
    command = [sys.executable, '-P', str(WORKER), json.dumps(request)]
    environment = os.environ | {'PYTHONPATH': checkout}
    with tempfile.TemporaryFile('w+') as log:
        process = subprocess.Popen(
            command, cwd=checkout, env=environment, text=True, stderr=log,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

        def answer():
            line = process.stdout.readline()
            if not line:
                log.seek(0)
                raise SystemExit(f'{checkout}: the loop ended early:\n{log.read()[-4000:]}')
            return float(line)

        def run(turns):
            print(turns, file=process.stdin, flush=True)
            return answer()

        try:
            answer()  # it stands before its first turn
            yield run
        finally:
            process.stdin.close()
            process.wait()


def compare(checkouts, turns, rounds, **of_the_loop):
    """Microseconds a turn of every round: name -> list. The first round is dropped.

    Args:
        checkouts: name -> directory; they take turns, and who begins changes from round to round.
        turns: of a round.
        rounds: how many.
        **of_the_loop: see `looping`.
    """
    with contextlib.ExitStack() as stack:
        loops = {
            name: stack.enter_context(looping(checkout, **of_the_loop))
            for name, checkout in checkouts.items()
        }
        times = {name: [] for name in loops}
        for number in range(rounds + 1):
            for name in sorted(loops, reverse=number % 2):
                times[name].append(1e6 * loops[name](turns) / turns)
    return {name: values[1:] for name, values in times.items()}


def print_comparison(title, times):
    """Prints the microseconds a turn, and the ratio of 'after' to 'before' if both are there."""
    for name, values in times.items():
        low, middle, high = min(values), timing.quartiles(values)[1], max(values)
        print(f'{title}, {name}: {middle:,.0f} us a turn ({low:,.0f} to {high:,.0f})')
    if 'before' in times:
        middle, low, high = timing.ratio(times, 'after', 'before')
        fastest = min(times['after']) / min(times['before'])
        print(f'{title}: after / before {middle:.3f} (quartiles {low:.3f}-{high:.3f}),', end=' ')
        print(f'of the fastest rounds {fastest:.3f}', flush=True)
