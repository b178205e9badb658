"""Batches out of a split. Batch k is a pure function of (seed, k): position is an index.

On several hosts each process makes its share of every batch, the same examples whatever the number of hosts.
"""

import functools

import numpy as np

from resizemix_jax.input import workers as processes
from resizemix_jax.input.dataset import Split

WHOLE = (0, 1)  # the share of a process that is alone


@functools.lru_cache(maxsize=2)
def epoch_order(seed, epoch, size):
    """The order of the examples in an epoch: a permutation, int64 [size]."""
    return np.random.default_rng((seed, epoch)).permutation(size)


def order_after(seed, epoch, size, row):
    """The examples that follow `row` in an epoch, around to the one before it: int64 [size - 1]."""
    order = epoch_order(seed, epoch, size)
    return np.roll(order, -np.flatnonzero(order == row)[0])[1:]


def train_batch(split, batch_size, seed, step, share=WHOLE):
    """Batch number `step` of training: each epoch visits every example once, less an incomplete last batch.

    Args:
        split: see `dataset.Split`, with N >= batch_size examples.
        batch_size: B, over all devices of all processes.
        seed, step: ints >= 0.
        share: (index, count) of the processes; count must divide B.

    Returns:
        dict of images uint8 [B / count, H, W, C] and label int32 [B / count].
    """
    epoch, index = divmod(step, split.size // batch_size)
    rows = epoch_order(seed, epoch, split.size)[_rows(index, batch_size, share)]
    return split.batch(rows, (seed, epoch))


def eval_batch(split, batch_size, index, share=WHOLE):
    """Batch number `index` of evaluation, in the order of the split.

    Returns:
        dict of images uint8 [B / count, H, W, C], label int32 [B / count], valid float32 [B / count]: 0 marks
        the copies that fill up the last batch.
    """
    rows = _rows(index, batch_size, share)
    valid = (rows < split.size).astype(np.float32)
    return split.batch(np.minimum(rows, split.size - 1), None) | {'valid': valid}


def train_batches(split, batch_size, seed, start, stop, share=WHOLE, workers=0):
    """Batches `start` to `stop` - 1 of training, ahead of their use where the split has to be decoded.

    Args:
        workers: the processes that decode; 0 is this one, -1 one a core.
    """
    make = functools.partial(_train_batch, split, batch_size, seed)
    yield from _ahead(split, make, range(start, stop), batch_size, share, workers)


def eval_batches(split, batch_size, share=WHOLE, workers=0):
    """All batches of evaluation: every example once over all processes."""
    make = functools.partial(_eval_batch, split, batch_size)
    yield from _ahead(split, make, range(-(-split.size // batch_size)), batch_size, share, workers)


def _rows(index, batch_size, share):
    process, count = share
    part = batch_size // count
    start = index * batch_size + process * part
    return np.arange(start, start + part)


def _train_batch(split, batch_size, seed, share, step):
    return train_batch(split, batch_size, seed, step, share)


def _eval_batch(split, batch_size, share, index):
    return eval_batch(split, batch_size, index, share)


def _ahead(split, make, indices, batch_size, share, workers):
    """make(share, index) for every index, in order; by other processes if there is something to decode."""
    if isinstance(split, Split) or workers == 0:
        return map(functools.partial(make, share), indices)
    return processes.ahead(split, make, indices, batch_size // share[1], share, workers)
