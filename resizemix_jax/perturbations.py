"""Ways to perturb the images of an evaluation batch, each at several strengths, for --robustness.

A perturbation at a strength is a *condition*, with a name:

    fgsm_2, _4, _8            see `fgsm`; levels of 255
    occlusion_10 to _90       see `occlude`; percent
    half_resize, half_center_crop     half the resolution, `augment.halve`
    NAME_1 to _5              the members of `resizemix_jax.corruptions`, at five severities

Draws are those of the example: its key is derived from the perturbation's name and its row in the split, and
not from the seed of the run. So every network sees the same images, on any number of devices; only those of
fgsm are made for each network.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from resizemix_jax import keys
from resizemix_jax.errors import ConfigError, nearest
from resizemix_jax.find import bind, names

LEVELS = 2, 4, 8
PERCENT = tuple(range(10, 100, 10))
HALVES = 'resize', 'center_crop'
SEVERITIES = 1, 2, 3, 4, 5
CELLS = 14  # of a side of the grid of occlusion
CORRUPTIONS = 'corruptions'
REFUSED = {
    'frost': 'its law pastes photographs, which are not part of this package; evaluate the published images '
    'with --config.dataset=cifar_c:/path/CIFAR-10-C --config.dataset_args.corruption=frost'
}


class Perturbation(NamedTuple):
    """A way to perturb the images of an evaluation batch.

    Attributes:
        name: of its group: what --robustness takes.
        strengths: condition -> strength.
        apply: (task, state, batch, strength) -> images uint8 [B, h, w, C]; strength is a number or traced.
        traced: whether one compiled program serves all its strengths.
    """

    name: str
    strengths: dict
    apply: Callable
    traced: bool = True


def choose(asked):
    """The Perturbations of a list of names; 'all' is all of them, 'corruptions' all corruptions.

    Raises:
        ConfigError: an unknown name.
    """
    known = {one.name: one for one in _all()}
    groups = {'all': tuple(known), CORRUPTIONS: names(CORRUPTIONS)}
    chosen = {}
    for name in asked:
        if name in REFUSED:
            raise ConfigError(f'--robustness={name}: {REFUSED[name]}')
        if name not in known and name not in groups:
            words = (*groups, *known)
            raise ConfigError(f'--robustness={name} must be of: {", ".join(words)}{nearest(name, words)}')
        chosen |= {each: known[each] for each in groups.get(name, (name,))}
    return tuple(chosen.values())


def fgsm(task, state, batch, level):
    """The images one step along the sign of the gradient of their loss: the fast gradient sign method.

    Law: x + (level / 255) sign(grad_x loss), clipped to [0, 1], with x the images in [0, 1] before their
    normalisation and the loss of the evaluation, by the true label; no random start. A level is a whole
    number, so the result is of uint8, exactly. Where the gradient is 0 a pixel stays.

    Source: Goodfellow et al., "Explaining and harnessing adversarial examples", arXiv:1412.6572, section 4.

    Args:
        task: has `gradient`, see `resizemix_jax.tasks`.
        state: has params and batch_stats.
        batch: images uint8 [B, H, W, C] and label int32 [B].
        level: a whole number.

    Returns:
        uint8 [B, H, W, C].
    """
    slope = task.gradient(state.params, state.batch_stats, batch['images'], batch['label'])
    moved = batch['images'] + jnp.sign(slope) * level
    return jnp.clip(moved, 0, 255).astype(jnp.uint8)


def occlude(key, images, percent):
    """Blackens random cells of a grid.

    Law: the grid has 14 x 14 cells (or fewer: as many as there are pixels); row y of H is in the cell
    floor(14 y / H). floor(percent / 100 * 196) cells, drawn without replacement for each image, become 0,
    which is black before the normalisation. At 224 pixels cells have 16 pixels a side; at 32 they have 2 or
    3, and every pixel is black with the same probability.

    Source: random PatchDrop of Naseer et al., arXiv:2105.10497, section 3.1, and its code, which draws once
    for a batch.

    Args:
        key: typed JAX keys [B], one an image.
        images: uint8 [B, H, W, C].
        percent: in [0, 100].

    Returns:
        uint8 [B, H, W, C].
    """
    _, height, width, _ = images.shape
    down, across = min(CELLS, height), min(CELLS, width)
    count = jnp.floor(jnp.float32(percent) * (down * across) / 100)
    rank = jax.vmap(lambda one: jax.random.permutation(one, down * across))(key)
    cells = (rank < count).reshape(-1, down, across)
    rows, columns = jnp.arange(height) * down // height, jnp.arange(width) * across // width
    return jnp.where(cells[:, rows][:, :, columns, None], 0, images).astype(jnp.uint8)


def row_keys(name, row):
    """The keys of the examples `row`, int32 [B], for the perturbation `name`: typed JAX keys [B]."""
    key = keys.stream(keys.root(0), f'robustness/{name}')
    return jax.vmap(lambda one: keys.at_step(key, one))(row)


def _all():
    def occluded(task, state, batch, percent):
        return occlude(row_keys('occlusion', batch['row']), batch['images'], percent)

    return (
        Perturbation('fgsm', {f'fgsm_{level}': level for level in LEVELS}, fgsm),
        Perturbation('occlusion', {f'occlusion_{percent}': percent for percent in PERCENT}, occluded),
        Perturbation('half', {f'half_{how}': k for k, how in enumerate(HALVES)}, _halved, traced=False),
        *(_corruption(name) for name in names(CORRUPTIONS)),
    )


def _halved(task, state, batch, index):
    return bind('augment', 'halve', {'method': HALVES[index]})(None, batch['images'])


def _corruption(name):
    def apply(task, state, batch, severity):
        corrupt = bind(CORRUPTIONS, name, {'severity': severity})

        def one(key, image):  # alone, so that nothing depends on the other images of the batch
            return corrupt(key, image[None])[0]

        return jax.vmap(one)(row_keys(name, batch['row']), batch['images'])

    return Perturbation(name, {f'{name}_{s}': s for s in SEVERITIES}, apply, traced=False)
