"""Mixup (Zhang et al., 2018): a convex combination of two images."""

import jax
from jax import Array

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.ranges import POSITIVE


@mixing_op
def mixup(
    key: Array, images: Array, labels: Array, *, alpha: float = 1.0, per: str = 'batch'
) -> tuple[Array, Array]:
    """Mixes every image with its partner.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        lam      ~ Beta(alpha, alpha), once a batch or once an image; not folded to [0.5, 1].
        image    (1 - lam) * target + lam * source, computed in float32; no clipping.
        label    (1 - lam) * target + lam * source.
        always applied.

    Source: arXiv:1710.09412, eq. 1-2; facebookresearch/mixup-cifar10 train.py, whose `lam` is the share
    of the target (the same law, since Beta(a, a) is symmetric). timm pairs image i with B - 1 - i.

    Args:
        key, images, labels, per: see the contract of `resizemix_jax.mixing`.
        alpha: > 0.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    POSITIVE.check(alpha=alpha)
    batch = images.shape[0]
    count = pairing.draws(per, batch)
    key_partner, key_lam = jax.random.split(key)
    partner = pairing.draw_partner(key_partner, batch)
    lam = pairing.draw_beta(key_lam, alpha, count)
    weight = lam[:, None, None, None]
    mixed = (1 - weight) * images + weight * images[partner]
    return mixed.astype(images.dtype), pairing.mix_labels(labels, partner, lam)
