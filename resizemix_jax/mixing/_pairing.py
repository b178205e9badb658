"""What every method needs: the checks of its arguments, its partners, and the mixed labels."""

import jax
import jax.numpy as jnp


def draws(per, batch):
    """How many numbers a method draws: 1 for per='batch', `batch` for per='sample'."""
    if per not in ('batch', 'sample'):
        raise ValueError(f"per={per!r} must be 'batch' or 'sample'")
    return 1 if per == 'batch' else batch


def check_positive(**numbers):
    """Raises ValueError for the first number that is not > 0."""
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f'{name}={value} must be > 0')


def check_share(**numbers):
    """Raises ValueError for the first number that is not in [0, 1]."""
    for name, value in numbers.items():
        if not 0 <= value <= 1:
            raise ValueError(f'{name}={value} must be in [0, 1]')


def check_saliency(saliency, images, user, example):
    """`saliency` as a JAX array [B, H, W].

    Raises:
        ValueError: it is not a map for every image; `user` needs it, and the method `example` makes it.
    """
    if saliency is None or saliency.shape != images.shape[:3]:
        got = 'none' if saliency is None else f'{saliency.dtype}{list(saliency.shape)}'
        raise ValueError(
            f'{user} needs saliency, float {list(images.shape[:3])}; got {got}. '
            f'In a config: saliency={example!r}'
        )
    return jnp.asarray(saliency)


def draw_partner(key, batch):
    """A uniform random permutation, int32 [B]; an image may be its own partner."""
    return jax.random.permutation(key, batch)


def draw_beta(key, alpha, count):
    """~ Beta(alpha, alpha): float32 [count]. Beta(1, 1) is U(0, 1), which costs no rejection loop."""
    if alpha == 1:
        return jax.random.uniform(key, (count,))
    return jax.random.beta(key, alpha, alpha, (count,))


def mix_labels(labels, partner, lam):
    """(1 - lam) * labels + lam * labels[partner]: the source's share goes to the source's label.

    Args:
        labels: float32 [B, K].
        partner: int32 [B].
        lam: float32 [B] or [1], the source share of each image.
    """
    lam = lam[:, None]
    return (1 - lam) * labels + lam * labels[partner]
