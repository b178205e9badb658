"""Batches out of a split. Batch k is a pure function of (seed, k): the position is an index.

On several hosts each process makes its share of every batch; the examples of a batch are the same whatever
the number of hosts.
"""

import contextlib
import functools
import weakref

import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import bucket_of
from resizemix_jax.input.workers import prefetch

WHOLE = (0, 1)  # the share of the only process


def train_batch(split, batch_size, seed, step, share=WHOLE):
    """Batch number `step` of training.

    Args:
        split: `dataset.Split`.
        batch_size: B, over all devices of all processes.
        seed, step: ints >= 0.
        share: (index, count) of the processes; count must divide B.

    Returns:
        dict of the arrays of one bucket of the split, [B / count, ...].

    Raises:
        DataError: the split cannot be read, or breaks the contract of `dataset.Split`.
    """
    return _make(split, *_train_rows(split, batch_size, seed, share, step))


def eval_batch(split, batch_size, index, share=WHOLE):
    """Batch number `index` of evaluation.

    Returns:
        As `train_batch`, and valid float32 [B / count], 0 for what fills up a batch, and row int32
        [B / count], the number of the example in the split, -1 where valid is 0.
    """
    rows, valid = (_part(array[index], share) for array in _eval_order(split, batch_size))
    return _make(split, rows, None) | _marks(rows, valid)


def train_batches(split, batch_size, seed, start, stop, share=WHOLE, workers=0, **waiting):
    """Batches `start` to `stop` - 1 of training, made ahead of their use where the split is streamed.

    Args:
        workers: the number of worker processes; 0: make batches in this process, -1: one worker a core.
        **waiting: `interrupted` and `timeout` of `workers.prefetch`.
    """
    if not split.streamed or workers == 0:
        for step in range(start, stop):
            yield train_batch(split, batch_size, seed, step, share)
    else:
        rows_of = functools.partial(_train_rows, split, batch_size, seed, share)
        yield from prefetch(split, rows_of, range(start, stop), workers, **waiting)


def eval_batches(split, batch_size, share=WHOLE, workers=0, **waiting):
    """All batches of evaluation: every example once over all processes; keywords as `train_batches`."""
    order, marks = _eval_order(split, batch_size)
    if not split.streamed or workers == 0:
        for index in range(len(order)):
            yield eval_batch(split, batch_size, index, share)
        return

    def rows_of(index):
        return _part(order[index], share), None

    batches = prefetch(split, rows_of, range(len(order)), workers, **waiting)
    with contextlib.closing(batches):
        for rows, valid, batch in zip(order, marks, batches, strict=True):
            yield batch | _marks(_part(rows, share), _part(valid, share))


def _make(split, rows, draw):
    batch = split.batch(rows, draw)
    bucket_of(batch, split.buckets)
    return batch


def _marks(rows, valid):
    return {'valid': valid.astype(np.float32), 'row': np.where(valid, rows, -1).astype(np.int32)}


def _part(array, share):
    process, count = share
    part = len(array) // count
    return array[process * part : (process + 1) * part]


def _train_rows(split, batch_size, seed, share, step):
    """(rows, draw) of a process' share of a training batch."""
    epoch, index = divmod(step, split.steps(batch_size))
    return _part(_train_order(split, seed, epoch, batch_size)[index], share), (seed, epoch)


def _train_order(split, seed, epoch, batch_size):
    order = _remembered(split, 'train', (seed, epoch, batch_size), split.order)
    expected = split.steps(batch_size), batch_size
    if np.shape(order) != expected:
        raise DataError(
            f'{type(split).__name__}.order must return [steps, batch] = {list(expected)}, not '
            f'{list(np.shape(order))}'
        )
    return order


def _eval_order(split, batch_size):
    return _remembered(split, 'eval', (batch_size,), functools.partial(_checked_eval_order, split))


def _checked_eval_order(split, batch_size):
    rows, valid = split.eval_order(batch_size)
    if not np.array_equal(np.sort(rows[valid]), np.arange(split.size)):
        raise DataError(
            f'{type(split).__name__}.eval_order must mark each of its {split.size} rows as valid exactly once'
        )
    return rows, valid


_orders: weakref.WeakKeyDictionary = (
    weakref.WeakKeyDictionary()
)  # split -> {purpose: (arguments, order)}, the last one of each


def _remembered(split, purpose, arguments, make):
    """make(*arguments), called again only for other arguments: the order of an epoch may be costly."""
    known = _orders.setdefault(split, {})
    if purpose not in known or known[purpose][0] != arguments:
        known[purpose] = arguments, make(*arguments)
    return known[purpose][1]
