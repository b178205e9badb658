"""Pairs of images, mixed as the training step mixes them, for pictures."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax import keys
from resizemix_jax.errors import DataError

PAIRS = 6
CANDIDATES = 64  # images that the pairs are chosen from
# A pair is mixed again, up to so many times, until the source's share is visible.
ATTEMPTS = 32
VISIBLE = (0.1, 0.9)
PROGRESS = 0.5  # where in the training a policy that changes over it is shown


class Pairs(NamedTuple):
    """Images to mix: 2 k is a target, 2 k + 1 its source.

    Attributes:
        images: uint8 [2 P, H, W, C].
        label: int32 [2 P].
        names: of the classes, or ().
        pictures: whether they are a user's own; then `label` is the number of the picture, not a class.
    """

    images: np.ndarray
    label: np.ndarray
    names: tuple
    pictures: bool

    def name(self, index):
        """The class of an image in words."""
        return class_name(self.names, self.label[index])

    def weights(self, k, lam):
        """The label of pair `k` mixed by `lam`, the source's share, in words."""
        target, source = self.name(2 * k), self.name(2 * k + 1)
        return f'{1 - lam:.2f} {target}\n{lam:.2f} {source}' if lam > 0 else target


def class_name(names, label):
    """A class in words."""
    return names[label].replace('_', ' ') if names else f'class {label}'


def choose_pairs(split, seed, pictures=False):
    """Up to PAIRS pairs of images of different classes, drawn by `seed`; of pictures, in their order."""
    count = min(CANDIDATES, split.size)
    rows = np.arange(count) if pictures else split.order(seed, 0, count)[0]
    batch = split.batch(rows, None)
    label, waiting, chosen = batch['label'], [], []
    for index in range(len(label)):
        partner = next((i for i in waiting if label[i] != label[index]), None)
        if partner is None:
            waiting.append(index)
        else:
            waiting.remove(partner)
            chosen += [partner, index]
        if len(chosen) == 2 * PAIRS:
            break
    if not chosen:
        raise DataError('two images of different classes are needed to show how they mix; there are none')
    return Pairs(batch['images'][chosen], label[chosen], split.names, pictures)


def mix_pairs(task, pairs, state, seed):
    """Every pair as the training step mixes a batch of two.

    Args:
        task: `tasks.classify.Classify`.
        pairs: `Pairs`.
        state: has params and batch_stats, of the network that guides the mixing; None if none does.
        seed: of the draws.

    Returns:
        The mixed targets, float32 [P, h, w, C], and the sources' shares of their labels, float32 [P].
    """
    key = key_view = keys.stream(keys.root(seed), 'gallery')
    variables = (state.params, state.batch_stats) if state and task.saliency else ({}, {})

    @jax.jit
    def attempt(seen, maps, number):
        # One after the other: under vmap a switch would run all its branches.
        def one(args):
            key, images, maps = args
            mixed, labels = task.mix(key, images, jnp.eye(2), **maps)
            return task.after(mixed, key_view, PROGRESS)[0], labels[0, 1]

        draws = jax.random.split(keys.at_step(key, number), len(seen))
        return jax.lax.map(one, (draws, seen, maps))

    seen = jax.jit(task.view)(pairs.images, key_view, PROGRESS)
    maps = task.maps(*variables, seen, pairs.label, key)
    seen, maps = jax.tree.map(lambda a: a.reshape(-1, 2, *a.shape[1:]), (seen, maps))
    images, lam = (np.array(a) for a in attempt(seen, maps, 0))
    for number in range(1, ATTEMPTS):
        again = (lam < VISIBLE[0]) | (lam > VISIBLE[1])
        if not again.any():
            break
        more, share = attempt(seen, maps, number)
        # What never mixes, such as Cutout, keeps its first draw.
        better = again & (np.asarray(share) >= VISIBLE[0]) & (np.asarray(share) <= VISIBLE[1])
        images[better], lam[better] = np.asarray(more)[better], np.asarray(share)[better]
    return images, lam
