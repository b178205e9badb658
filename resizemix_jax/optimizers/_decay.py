"""Which parameters weight decay applies to."""

import jax

NAMES = ('all', 'kernels')


def mask(weight_decay, decay):
    """The mask for optax: None for every parameter, or params -> tree of bool.

    Args:
        weight_decay: the rate, only checked here.
        decay: 'all', or 'kernels' for arrays of rank >= 2.

    Raises:
        ValueError: a negative rate, or an unknown word.
    """
    if not weight_decay >= 0:
        raise ValueError(f'optimizer_args.weight_decay={weight_decay} must be >= 0')
    if decay not in NAMES:
        raise ValueError(f"optimizer_args.decay={decay!r} must be 'all' or 'kernels'")
    return None if decay == 'all' else lambda params: jax.tree.map(lambda p: p.ndim > 1, params)
