"""Flips single bits in the files of a checkpoint, and reads it: what is not refused must be what was saved.

    python -m tests.campaigns.flipped_bits [--flips=40] [--seed=0]

Half of the flips are in the largest file, which holds the arrays; the others are in any file. Each is counted
as refused (an error that names the checkpoint), harmless (the state that was saved), silent (another state)
or traceback. Exit code 1 if any is silent or a traceback.
"""

import argparse
import collections
import pathlib
import random
import shutil
import sys
import tempfile

import jax
import numpy as np

from resizemix_jax.devices import parallel
from resizemix_jax.errors import DataError
from resizemix_jax.run.checkpoint import Checkpoints
from tests import toy

STEP = 6


def state(step, scale):
    """A small network, its statistics and momentum, and an array of 64 kB; all their values are different."""
    devices = parallel.choose_devices(1)
    fresh = toy.state(toy.task(norm=True), devices).replace(
        more={'average': np.zeros((128, 128), np.float32)}
    )
    draws = np.random.default_rng(0)

    def leaf(a):
        return scale * draws.normal(size=a.shape).astype(a.dtype) if a.dtype == np.float32 else a

    return parallel.place(jax.tree.map(leaf, fresh).replace(step=np.int32(step)), devices)


def flip(path, rng):
    """Flips a bit of a file."""
    data = bytearray(path.read_bytes())
    bit = rng.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def outcome(workdir, saved):
    """What reading the checkpoint of a workdir comes to."""
    devices = parallel.choose_devices(1)
    try:
        with Checkpoints(workdir) as checkpoints:
            found = checkpoints.restore(state(0, 0.0), devices)
    except DataError as error:
        return 'refused' if str(workdir) in str(error) else 'traceback'
    except Exception as error:
        print(f'{type(error).__name__}: {error}', file=sys.stderr)
        return 'traceback'
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(saved), strict=True)
    return 'harmless' if all(np.array_equal(one, two) for one, two in pairs) else 'silent'


def campaign(flips, seed):
    """outcome -> number."""
    rng = random.Random(seed)
    saved = state(STEP, 1.0)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        whole, flipped = pathlib.Path(scratch, 'whole'), pathlib.Path(scratch, 'flipped')
        with Checkpoints(whole, 1) as checkpoints:
            checkpoints.save(saved, STEP)
        for number in range(flips):
            shutil.rmtree(flipped, ignore_errors=True)
            shutil.copytree(whole, flipped)
            files = sorted(path for path in flipped.rglob('*') if path.is_file() and path.stat().st_size)
            path = rng.choice(files) if number % 2 else max(files, key=lambda file: file.stat().st_size)
            flip(path, rng)
            found = outcome(flipped, saved)
            counts[found] += 1
            print(f'{number + 1}: {path.relative_to(flipped)}: {found}', flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--flips', type=int, default=40)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    counts = campaign(args.flips, args.seed)
    print(', '.join(f'{name}: {count}' for name, count in sorted(counts.items())))
    sys.exit(bool(counts['silent'] or counts['traceback']))


if __name__ == '__main__':
    main()
