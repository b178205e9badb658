"""Population Based Augmentation (Ho et al., 2019): a published schedule of policies over the training."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment._images import augmentation
from resizemix_jax.ranges import POSITIVE, Several

NEEDS = ('progress',)
SCHEDULE = ('segments_epochs', 'total_epochs')  # keys of a file whose policies follow each other
ROUNDING = 2.0**-22  # more than float32 is off in step / steps, less than a step of 4 million
COUNTS = (0.2, 0.3, 0.5)  # the chances of no, one and two operations


@augmentation
def pba(
    key: Array,
    images: Array | np.ndarray,
    *,
    policy: str = 'pba_cifar10',
    fill: int | Sequence[int] = 0,
    interpolation: str = 'nearest',
    progress: float | Array = 0.0,
) -> Array:
    """Applies the policy of the current epoch.

    Law:
        moment    the schedule is stretched to the length of the training: a segment that begins with epoch e
                  of E begins with the first step at which `progress` >= e / E. A segment is 15 operations
                  twice, each with a probability and a magnitude 0..9 (`_magnitudes.tf`).
        image     a count of 0, 1 or 2 with probabilities .2, .3, .5; the 30 entries in a random order, each
                  applied with its probability, until that count is reached. Drawn independently per image.

    Source: arXiv:1905.05393; arcelien/pba: 'pba_cifar10' (17 segments over 200 epochs, CIFAR-100 too; the
    first 12 epochs do nothing) and 'pba_svhn' (14 over 160). The original fills with the mean, here with
    black. Place: before the crop and flip, and Cutout 16 after normalisation.

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        policy: a file of augment/policies, or the path of one.
        fill: colour of the pixels that a warp uncovers: a value, or one for each channel; 0..255.
        interpolation: of the warps, 'nearest' or 'bilinear'.
        progress: the completed share of the training, float32 [] in [0, 1).

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: an unknown policy, or one that is not a schedule; an interpolation or fill out of range.
    """
    content = policies.read_policy(policy)
    if not set(SCHEDULE) <= set(content):
        raise ValueError(f'policy={policy!r} is not a schedule over epochs; use pba_cifar10 or pba_svhn')
    epochs, total = (content[name] for name in SCHEDULE)
    Several(POSITIVE, len(content['subpolicies'])).check(f'{policy}: ', segments_epochs=epochs)
    POSITIVE.check(f'{policy}: ', total_epochs=total)
    batch, height, width, _ = images.shape
    schedule = policies.steps(content['subpolicies'], lambda op, m: magnitudes.tf(op, m, height, width))
    entries = schedule.at(segment_at(content, progress))

    key_count, key_order, key_happens, key_do = jax.random.split(key, 4)
    count = jax.random.choice(key_count, 3, (batch,), p=jnp.array(COUNTS))
    order = jax.random.uniform(key_order, (batch, len(entries.op)))
    happens = jax.random.uniform(key_happens, order.shape) < entries.prob
    # The first entries to be applied, in a random order: those with the lowest numbers.
    first = jnp.argsort(jnp.where(happens, order, 2.0), axis=1)
    done = jnp.minimum(count, happens.sum(axis=1))

    def one(place, images):
        step = entries.at(first[:, place])
        step = step._replace(prob=(place < done).astype(jnp.float32))
        return policies.apply_step(
            jax.random.fold_in(key_do, place), images, step, fill=fill, cutout_fill=(125, 122, 113),
            interpolation=interpolation,
        )  # fmt: skip

    return lax.fori_loop(0, len(COUNTS) - 1, one, images)


def segment_at(content: dict, progress: float | Array) -> Array:
    """The index of a schedule's segment at `progress` (float32, of any shape), int32 of its shape."""
    begins = np.cumsum(content['segments_epochs'])[:-1] / content['total_epochs'] - ROUNDING
    return jnp.searchsorted(jnp.asarray(begins, jnp.float32), progress, side='right')
