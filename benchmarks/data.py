"""Batches of a CIFAR-size split in memory, from one thread: images a second.

python -m benchmarks.data [--batch=256]
"""

import argparse
import time

from benchmarks import timing
from resizemix_jax.datasets.fake import fake
from resizemix_jax.input import pipeline


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--batch', type=int, default=256)
    batch = parser.parse_args().batch
    split = fake(train_size=50_000).read('train', '')
    steps = 3 * (len(split.label) // batch)  # three epochs, their shuffling included
    start = time.perf_counter()
    for step in range(steps):
        pipeline.train_batch(split, batch, 0, step)
    rate = steps * batch / (time.perf_counter() - start)
    print(f'{rate:,.0f} images/s of 32 x 32 x 3 in batches of {batch}; {timing.machine()}')


if __name__ == '__main__':
    main()
