"""Where a run is, in steps taken and in its config's own steps, which a change of the batch size sets apart.

A run counts the steps it has taken, whatever their batch size was: `step` numbers its checkpoints, rows and
random keys. Its *place*, step - offset, is the step at which a run of the current config alone would have
seen the same examples of the same epoch; the order of the data, the schedule and the epochs are looked up
there. The offset is 0 until the batch size of a run is changed.
"""

import numpy as np

from resizemix_jax.errors import ConfigError


def new_place(splits, seed, place, before, after, same_data=True):
    """The place in a run of batch size `after` that has seen the examples of `place` in one of `before`.

    At the end of an epoch there always is one. Within an epoch there is if the epoch's examples so far make
    whole batches, and are the first ones in both orders. (After the remainder that an epoch leaves out, it is
    over.)

    Args:
        splits: the `input.dataset.Split`s that the run trains on; the first one makes the epochs.
        seed: of the run.
        place: int.
        before, after: batch sizes.
        same_data: whether `place` was reached with these splits.

    Returns:
        int, or None if there is none.
    """
    found = {_new_place(split, seed, place, before, after, same_data) for split in splits}
    return found.pop() if len(found) == 1 else None


def _new_place(split, seed, place, before, after, same_data):
    epoch, index = divmod(place, split.steps(before))
    steps, rest = divmod(index * before, after)
    if rest or steps > split.steps(after) or (index and not same_data):
        return None
    if index:
        seen = split.order(seed, epoch, before)[:index], split.order(seed, epoch, after)[:steps]
        if not np.array_equal(*(rows.ravel() for rows in seen)):
            return None
    return epoch * split.steps(after) + steps


def change(splits, seed, step, offset, before, after, same_data=True):
    """The offset after a change of the batch size at a step.

    Args:
        step, offset: of the run, before the change.
        splits, seed, before, after, same_data: see `new_place`.

    Raises:
        ConfigError: the place cannot be kept; names the next step at which it can.
    """
    place = step - offset
    found = new_place(splits, seed, place, before, after, same_data)
    if found is not None:
        return step - found
    later = range(place + 1, place + 1 + splits[0].steps(before))
    possible = [p for p in later if new_place(splits, seed, p, before, after, same_data) is not None]
    remedy = f'train with batch_size={before} until step {possible[0] + offset}, or ' if possible else ''
    raise ConfigError(
        f'batch_size={after} cannot continue the run at step {step}: the epoch has seen '
        f'{place % splits[0].steps(before) * before} examples in batches of {before}, which do not end a '
        f'batch of {after}. To change it, {remedy}use another --workdir'
    )


def check_length(place, steps, steps_per_epoch):
    """Raises ConfigError if a run of `steps` is over before `place`."""
    if place > steps:
        raise ConfigError(
            f'the run is at epoch {place / steps_per_epoch:.4g} and would have ended at epoch '
            f'{steps / steps_per_epoch:.4g}; set epochs or steps to what it has already trained, or more'
        )


def described(changes, step, offset, steps, steps_per_epoch):
    """What the changes of a config do to a run, in a sentence; `changes` are (key, before, after)."""
    place = step - offset
    changed = ', '.join(f'{key}: {before} -> {after}' for key, before, after in changes)
    return (
        f'{changed}. The run continues after step {step}, at epoch {place / steps_per_epoch:.4g} of '
        f'{steps / steps_per_epoch:.4g}, with the next examples of its data; an epoch has {steps_per_epoch} '
        f'steps. The schedule from here on is that of a run with the new values from its step {place} of '
        f'{steps}'
    )
