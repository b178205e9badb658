"""Batches of a CIFAR-size split in memory, from one thread: images a second.

python -m benchmarks.data [--batch=256] [--images=50000]
"""

import time

from benchmarks import _timing as timing
from resizemix_jax.datasets.fake import fake
from resizemix_jax.input import pipeline

EPOCHS = 3  # their shuffling included


def main(argv=None):
    args = timing.arguments(__doc__, argv, dict(batch=8, images=64), batch=256, images=50_000)
    split = fake(train_size=args.images).read('train', '')
    steps = EPOCHS * split.steps(args.batch)
    start = time.perf_counter()
    for step in range(steps):
        pipeline.train_batch(split, args.batch, 0, step)
    rate = steps * args.batch / (time.perf_counter() - start)
    print(f'{rate:,.0f} images/s of 32 x 32 x 3 in batches of {args.batch}; {timing.machine()}')


if __name__ == '__main__':
    main()
