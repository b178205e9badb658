"""Begins runs with one version and ends them with another: the bits of a run that the first one made alone.

    python -m tests.campaigns.upgrade --before=REVISION|CHECKOUT --after=REVISION|CHECKOUT [--stop=6]
        [--keep=DIR]

For instance `--before=v0.1.0 --after=.`. The runs are `_train_cells.EXTRA`: ten steps of several networks, on
one and four devices, and of pictures. The version before trains each one to its end, and another time up to
step STOP, within a log interval; the version after continues that. Compared are step, parameters, BatchNorm
statistics, the optimiser's state and the rows of metrics.jsonl but times. KEEP is a directory of the runs.
Exit code 1 if anything differs.

Two runs are equal only on the same processor with the same packages: compare on one machine.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

from tests.campaigns import _train_cells as cells
from tests.campaigns.same_bits import checkout, difference

WORKER = pathlib.Path(__file__).with_name('_train_part.py')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--before', required=True)
    parser.add_argument('--after', required=True)
    parser.add_argument('--stop', type=int, default=6)
    parser.add_argument('--keep', default='')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(args.keep or scratch).resolve()
        cells.make_pictures(directory / 'pictures')
        with checkout(args.before) as tree:
            train(tree, directory, 'unbroken')
            train(tree, directory, 'continued', args.stop)
        with checkout(args.after) as tree:
            train(tree, directory, 'continued')
        sys.exit(report(directory))


def train(tree, directory, name, stop=0):
    """Trains all runs with the version in `tree`, in directory/name."""
    out = directory / name
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, '-P', str(WORKER), str(out), str(directory), str(stop)]
    with open(directory / f'{name}_{"begun" if stop else "ended"}.log', 'w') as log:
        environment = os.environ | {'PYTHONPATH': str(tree)}
        code = subprocess.run(command, cwd=tree, env=environment, stdout=log, stderr=log).returncode
    if code:
        sys.exit(f'{tree}: the process ended with exit code {code}; see {log.name}')


def report(directory):
    """Prints a line a run; returns whether any differs."""
    different = 0
    for number, cell in enumerate(cells.EXTRA):
        unbroken, continued = (directory / name / str(number) for name in ('unbroken', 'continued'))
        text = difference(unbroken, continued)
        print(f'{cells.name_of(*cell)}: {text or "same"}')
        different += bool(text)
    print(f'{different} of {len(cells.EXTRA)} runs differ')
    return bool(different)


if __name__ == '__main__':
    main()
