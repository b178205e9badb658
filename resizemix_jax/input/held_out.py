"""A held-out part of the training examples: config.held_out, to choose by without the test split.

The law, for a split of N examples, a share s and a seed:

* The part has H = round(s N) examples, a half to the even number. So both sizes are known before anything is
  read, whatever the classes are.
* H is divided among the classes in proportion. A class of n examples gives floor(s n); what H has beyond the
  sum of these comes from the classes with the largest fractions of s n, one each, of equal fractions from the
  smaller label first (largest remainders). So a class gives s n to within one example.
* Of a class of n examples its k are the first k of a permutation of the n, without replacement. One
  generator, np.random.default_rng((seed, STREAM)), draws the permutations of all classes in the order of
  the labels.
* The examples of both parts keep the order that they had.
* Every class with examples keeps at least one in each part, or else it is an error.

The draw depends on the labels, the share and the seed alone, so runs of different methods with equal seeds
are evaluated on the same examples, on any number of hosts.
"""

import logging

import numpy as np

from resizemix_jax.errors import DataError

log = logging.getLogger(__name__)

TRAIN, EVAL, HELD_OUT = 'train', 'eval', 'held_out'  # names of splits
STREAM = 2**31  # of the seed's draws: the orders of epochs have those below


def divided(dataset, share, seed):
    """A dataset with the split 'held_out', a part of 'train', which becomes what is left of it.

    Args:
        dataset: `dataset.Dataset`.
        share: in [0, 1); 0 returns the dataset as it is.
        seed: int >= 0.

    Returns:
        A Dataset. Reading one of both parts reads the whole 'train', and keeps what belongs to it.

    Raises:
        ValueError: it cannot be divided, or a part would have no example.
        DataError: a class is too small; of datasets whose labels are only known when they are read, `read`
            raises it.
    """
    if not share:
        return dataset
    if dataset.undivided:
        raise ValueError(f'held_out={share}: dataset={dataset.name!r}: {dataset.undivided}')
    if HELD_OUT in dataset.sizes:
        raise ValueError(
            f'held_out={share}: dataset={dataset.name!r} has a split {HELD_OUT!r} of its own; set held_out=0'
        )
    whole = dataset.sizes[TRAIN]
    size = part_size(whole, share)
    if not 0 < size < whole:
        raise ValueError(
            f'held_out={share} of {whole} training examples are {size}, and both parts need at '
            'least one; choose another share, or set held_out=0'
        )
    if TRAIN in dataset.labels:
        draw(*dataset.labels[TRAIN], share, seed)

    def read(split, data_dir):
        if split not in (TRAIN, HELD_OUT):
            return dataset.reader(split, data_dir)
        found = dataset.read(TRAIN, data_dir)
        if found.label is None:
            raise DataError(f'held_out={share}: {dataset.name} does not tell its labels; set held_out=0')
        rest, part = draw(found.label, found.names, share, seed)
        if split == HELD_OUT:
            log.info('%d of %d training examples are held out, drawn by seed %d', len(part), found.size, seed)
        return found.part(part if split == HELD_OUT else rest)

    sizes = {TRAIN: whole - size, HELD_OUT: size}
    return dataset._replace(sizes={**dataset.sizes, **sizes}, reader=read, labels={})


def part_size(size, share):
    """The number of held-out examples of `size`."""
    return round(share * size)


def draw(label, names, share, seed):
    """The rows of both parts.

    Args:
        label: int [N].
        names: of the classes, or (), for messages.
        share, seed: see `divided`.

    Returns:
        (rest, part): ascending int64 arrays, in which every row is once.

    Raises:
        DataError: a class would have no example in one of them.
    """
    classes, sizes = np.unique(label, return_counts=True)
    counts = part_counts(sizes, share)
    for k, size, count in zip(classes, sizes, counts, strict=True):
        if not 0 < count < size:
            title = repr(names[k]) if len(names) > k else str(k)
            raise DataError(
                f'held_out={share}: of class {title} {count} of {size} training examples would be held out, '
                'and both parts need at least one of each class. Choose another share, add examples, or set '
                'held_out=0'
            )
    rng = np.random.default_rng((seed, STREAM))
    held = np.zeros(len(label), bool)
    rows = np.split(np.argsort(label, kind='stable'), np.cumsum(sizes)[:-1])  # of each class, ascending
    for own, count in zip(rows, counts, strict=True):
        held[own[rng.permutation(len(own))[:count]]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def part_counts(sizes, share):
    """How many examples each class gives, int64 [classes], of class sizes int [classes]."""
    quota = share * np.asarray(sizes)
    counts = np.floor(quota).astype(np.int64)
    missing = part_size(int(np.sum(sizes)), share) - int(counts.sum())
    counts[np.argsort(counts - quota, kind='stable')[:missing]] += 1
    return counts
