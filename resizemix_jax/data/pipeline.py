"""Batches out of a split in memory. Batch k is a pure function of (seed, k): position is an index."""

import functools

import numpy as np


@functools.lru_cache(maxsize=2)
def epoch_order(seed, epoch, size):
    """The order of the examples in an epoch: a permutation, int64 [size]."""
    return np.random.default_rng((seed, epoch)).permutation(size)


def train_batch(split, batch_size, seed, step):
    """Batch number `step` of training: each epoch visits every example once, less an incomplete last batch.

    Args:
        split: a `dataset.Split` with N >= batch_size examples.
        batch_size: B, over all devices.
        seed, step: ints >= 0.

    Returns:
        dict of images uint8 [B, H, W, C] and label int32 [B].
    """
    size = len(split.label)
    epoch, index = divmod(step, size // batch_size)
    rows = epoch_order(seed, epoch, size)[index * batch_size : (index + 1) * batch_size]
    return {'images': split.images[rows], 'label': split.label[rows]}


def eval_batches(split, batch_size):
    """Every example once, in order; the last batch is filled up with copies that `valid` marks 0.

    Yields:
        dict of images uint8 [B, H, W, C], label int32 [B], valid float32 [B].
    """
    size = len(split.label)
    for start in range(0, size, batch_size):
        rows = np.arange(start, start + batch_size)
        valid = (rows < size).astype(np.float32)
        rows = np.minimum(rows, size - 1)
        yield {'images': split.images[rows], 'label': split.label[rows], 'valid': valid}
