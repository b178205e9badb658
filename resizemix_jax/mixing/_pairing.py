"""Shared by the methods: checks of their arguments, the draw of partners, and the mixed labels."""

import jax
import jax.numpy as jnp

from resizemix_jax.ranges import Choice

PER = Choice('batch', 'sample')


def draws(per, batch):
    """The number of draws: 1 for per='batch', `batch` for per='sample'."""
    PER.check(per=per)
    return 1 if per == 'batch' else batch


def check_saliency(saliency, images, user, example):
    """`saliency` as a JAX array [B, H, W].

    Raises:
        ValueError: it is not one map per image. The message says that `user` needs it and that `example` is
            one way.
    """
    if saliency is None or saliency.shape != images.shape[:3]:
        got = 'None' if saliency is None else f'{saliency.dtype}{list(saliency.shape)}'
        raise ValueError(
            f'{user} needs saliency, float {list(images.shape[:3])}; got {got}. '
            f'In a config: saliency={example!r}'
        )
    return jnp.asarray(saliency)


def draw_partner(key, batch):
    """A uniform random permutation, int32 [B]; an image may be its own partner."""
    return jax.random.permutation(key, batch)


def draw_beta(key, alpha, count):
    """~ Beta(alpha, alpha): float32 [count]. Beta(1, 1) is U(0, 1), which needs no rejection loop."""
    if alpha == 1:
        return jax.random.uniform(key, (count,))
    return jax.random.beta(key, alpha, alpha, (count,))


def mix_labels(labels, partner, lam):
    """(1 - lam) * labels + lam * labels[partner], with lam the source's share.

    Args:
        labels: float32 [B, K].
        partner: int32 [B].
        lam: float32 [B] or [1], the source share of each image.
    """
    lam = lam[:, None]
    return (1 - lam) * labels + lam * labels[partner]
