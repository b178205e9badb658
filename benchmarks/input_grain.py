"""The streamed input's worker processes against Grain's: time to the first batch, and images a second.

    python -m benchmarks.input_grain [--rounds=5] [--workers=2]     (needs pip install grain)

Both map the same function of a batch's index, in turn, on the JPEGs of benchmarks.input.
"""

import contextlib
import functools
import sys
import tempfile
import time

from absl import flags

from benchmarks import _timing as timing
from benchmarks._jpegs import make
from benchmarks._whole_input import BATCH, write_split
from resizemix_jax.input import pipeline

BATCHES, WARM = 40, 3


def by_grain(split, workers):
    import grain
    from grain.multiprocessing import MultiprocessingOptions

    make_batch = functools.partial(pipeline.train_batch, split, BATCH, 0)
    batches = grain.MapDataset.range(BATCHES).map(make_batch).to_iter_dataset()
    return iter(batches.mp_prefetch(MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=2)))


def by_workers(split, workers):
    return pipeline.train_batches(split, BATCH, 0, 0, BATCHES, workers=workers)


def measure(make_batches):
    """(seconds to the first batch, seconds for those after the first few)."""
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


def main(argv=None):
    args = timing.arguments(__doc__, argv, dict(rounds=1, images=32), rounds=5, workers=2, images=320)
    try:
        import grain  # noqa: F401
    except ImportError:
        print('benchmarks.input_grain needs Grain: pip install grain')
        sys.exit(2)
    flags.FLAGS(['grain'])  # Grain reads absl flags, which must have been parsed
    with tempfile.TemporaryDirectory() as scratch:
        split = write_split(make(args.images), scratch, 'tfrecord')
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
