"""Which parameters weight decay applies to."""

import jax

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
    if not weight_decay >= 0:
        raise ValueError(f'optimizer_args.weight_decay={weight_decay} must be >= 0')
    if decay not in NAMES:
        raise ValueError(f'optimizer_args.decay={decay!r} must be one of: {", ".join(NAMES)}')
    return None if decay == 'all' else _kernels


def _kernels(params):
    return jax.tree_util.tree_map_with_path(lambda path, leaf: path[-1].key == 'kernel', params)
