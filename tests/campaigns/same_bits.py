"""Trains every runnable cell for ten steps in two versions and compares what came out, bit by bit.

    python -m tests.campaigns.same_bits --before=REVISION|CHECKOUT|SAVED --after=REVISION|CHECKOUT|SAVED
        [--save_before=DIR] [--save_after=DIR] [--only=PATTERN]

For instance `--before=v0.1.0 --after=.`. The cells are those of the tables at scale=small and the quickstart,
as the version before has them, and the few of `_train_cells.EXTRA` with other networks, several devices and
streamed pictures. Each version trains in one process; a revision is checked out into a temporary directory. A
saved side can stand for a version, so that it need not be trained again. Compared are step, parameters,
BatchNorm statistics, the optimiser's state and the rows of metrics.jsonl but for times; what only the version
after has is left out. PATTERN is of cells, with * and ?. Exit code 1 if anything differs.

Two runs are equal only on the same processor with the same packages: compare on one machine.
"""

import argparse
import contextlib
import fnmatch
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
WORKER = pathlib.Path(__file__).with_name('_train_cells.py')
PARTS = 'step', 'params', 'batch_stats', 'opt_state'
TIMES = 'seconds', 'compile_seconds', 'images_per_second', 'data_wait_share'


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        before = side(args.before, args.save_before or f'{scratch}/before', None, args.only)
        after = side(args.after, args.save_after or f'{scratch}/after', before / 'list.json', args.only)
        different = compare(before, after, args.only)
    sys.exit(bool(different))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--before', required=True)
    parser.add_argument('--after', required=True)
    parser.add_argument('--save_before', default='', help='where the side before is kept')
    parser.add_argument('--save_after', default='', help='where the side after is kept')
    parser.add_argument('--only', default='*', help='a pattern of cells, e.g. "table3:*"')
    return parser.parse_args()


def side(version, out, cells, only):
    """The directory with what a version's cells came to: a saved one, or `out` after training them.

    Args:
        version: a saved side, a checkout's directory, or a git revision.
        out: a directory for what is trained.
        cells: the list of the cells, or None for those that the version itself has.
        only: a pattern of cells.
    """
    if pathlib.Path(version, 'cells.json').exists():
        return pathlib.Path(version)
    out = pathlib.Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    with checkout(version) as directory:
        command = [sys.executable, '-P', str(WORKER), str(out), str(cells or out / 'list.json'), only]
        environment = os.environ | {'PYTHONPATH': str(directory)}
        with open(out / 'log.txt', 'w') as log:
            code = subprocess.run(command, cwd=directory, env=environment, stderr=log).returncode
    if code:
        sys.exit(f'{version}: the process ended with exit code {code}; see {out}/log.txt')
    return out


@contextlib.contextmanager
def checkout(version):
    """The directory of a version: itself, or a temporary worktree of the revision."""
    if pathlib.Path(version, 'resizemix_jax').is_dir():
        yield pathlib.Path(version).resolve()
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch, 'tree')
        subprocess.run(['git', 'worktree', 'add', '--detach', str(path), version], cwd=ROOT, check=True)
        try:
            yield path
        finally:
            subprocess.run(['git', 'worktree', 'remove', '--force', str(path)], cwd=ROOT, check=True)


def compare(before, after, only):
    """Prints a line a cell; returns the names of the cells that differ."""
    files = [json.loads((path / 'cells.json').read_text()) for path in (before, after)]
    different, found = [], {}
    chosen = fnmatch.filter(files[0], only)
    for name in chosen:
        pair = files[0][name], files[1].get(name)
        if pair not in found:
            found[pair] = difference(before / pair[0], after / pair[1]) if pair[1] else 'not trained after'
        print(f'{name}: {found[pair] or "same"}')
        if found[pair]:
            different.append(name)
    print(f'{len(different)} of {len(chosen)} cells differ ({len(found)} different trainings)')
    return different


def difference(before, after):
    """What differs between two trainings, in words, or ''."""
    errors = [path.with_suffix('.error') for path in (before, after)]
    for path, when in zip(errors, ('before', 'after'), strict=True):
        if path.exists():
            return f'{when}: {path.read_text()}'
    with np.load(before.with_suffix('.npz')) as old, np.load(after.with_suffix('.npz')) as new:
        for part in PARTS:
            if text := difference_in_part(leaves(old, part), leaves(new, part)):
                return text
    old, new = (rows(path.with_suffix('.jsonl')) for path in (before, after))
    if len(old) != len(new):
        return f'{len(old)} rows of metrics -> {len(new)}'
    for one, other in zip(old, new, strict=True):
        for key, value in one.items():
            if other.get(key) != value:
                return f'metrics of step {one["step"]}: {key} {value} -> {other.get(key)}'
    return ''


def leaves(arrays, part):
    return {name: arrays[name] for name in sorted(arrays) if name.partition('/')[0] == part}


def difference_in_part(old, new):
    if list(old) != list(new):
        return f'leaves {sorted(old.keys() - new.keys())} -> {sorted(new.keys() - old.keys())}'
    for name, array in old.items():
        other = new[name]
        if (array.dtype, array.shape) != (other.dtype, other.shape):
            return f'{name}: {array.dtype} {array.shape} -> {other.dtype} {other.shape}'
        if array.tobytes() != other.tobytes():
            gap = np.abs(array.astype(np.float64) - other.astype(np.float64)).max()
            return f'{name} and perhaps more: up to {gap:.3g} apart'
    return ''


def rows(path):
    made = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in TIMES} for row in made]


if __name__ == '__main__':
    main()
