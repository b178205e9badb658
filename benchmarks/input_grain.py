"""The streamed input's own processes beside Grain's: to the first batch, and from then on.

    python -m benchmarks.input_grain [--rounds=5] [--workers=2]     (needs pip install grain)

Both map the same function of a batch's number, in turn, on the JPEGs of benchmarks.input.
"""

import argparse
import contextlib
import functools
import tempfile
import time

import grain
from absl import flags
from grain.multiprocessing import MultiprocessingOptions

from benchmarks import timing
from benchmarks.input_whole import BATCH, write_split
from benchmarks.jpegs import make
from resizemix_jax.input import pipeline

BATCHES, WARM = 40, 3


def by_grain(split, workers):
    make_batch = functools.partial(pipeline.train_batch, split, BATCH, 0)
    batches = grain.MapDataset.range(BATCHES).map(make_batch).to_iter_dataset()
    return iter(batches.mp_prefetch(MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=2)))


def by_workers(split, workers):
    return pipeline.train_batches(split, BATCH, 0, 0, BATCHES, workers=workers)


def measure(make_batches):
    """(seconds to the first batch, seconds of those after the first few)."""
    begin = time.perf_counter()
    with contextlib.closing(make_batches()) as batches:
        next(batches)
        first = time.perf_counter() - begin
        for _ in range(WARM):
            next(batches)
        start = time.perf_counter()
        for _ in batches:
            pass
        return first, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--workers', type=int, default=2)
    args = parser.parse_args()
    flags.FLAGS(['grain'])  # it reads flags of its own, which somebody has to have parsed
    with tempfile.TemporaryDirectory() as scratch:
        split = write_split(make(320), scratch, 'tfrecord')
        seconds = {'ours': [], 'grain': []}
        for _ in range(args.rounds):
            for name, function in (('ours', by_workers), ('grain', by_grain)):
                seconds[name].append(measure(functools.partial(function, split, args.workers)))
    for name, values in seconds.items():
        first, rest = (sorted(column)[len(values) // 2] for column in zip(*values, strict=True))
        rate = (BATCHES - WARM - 1) * BATCH / rest
        print(f'{name}: first batch after {first:.2f} s, then {rate:,.0f} images/s (medians)')
    ratios = sorted(b[1] / a[1] for a, b in zip(seconds['ours'], seconds['grain'], strict=True))
    print(f'speed over grain: {ratios[len(ratios) // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})')
    print(timing.machine())


if __name__ == '__main__':
    main()
