"""Which parameters weight decay applies to."""

import jax

from resizemix_jax.ranges import NOT_NEGATIVE, Choice

NAMES = ('all', 'kernels')


def mask(weight_decay, decay):
    """The mask for `optax.add_decayed_weights`: None for every parameter, or params -> tree of bool.

    Args:
        weight_decay: the rate, only checked here.
        decay: 'all', or 'kernels' for the parameters named `kernel`, those of convolutions and linear
            layers: no bias, no scale of BatchNorm or LayerNorm, no position of a ViT.

    Raises:
        ValueError: a negative rate, or an unknown word.
    """
    NOT_NEGATIVE.check('optimizer_args.', weight_decay=weight_decay)
    Choice(*NAMES).check('optimizer_args.', decay=decay)
    return None if decay == 'all' else _kernels


def _kernels(params):
    return jax.tree_util.tree_map_with_path(lambda path, leaf: path[-1].key == 'kernel', params)
