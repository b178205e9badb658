"""CutMix (Yun et al., 2019): a box of the source replaces the same box of the target."""

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.ranges import POSITIVE, SHARE


def cut_box(y: Array, x: Array, lam: Array, height: int, width: int) -> Array:
    """The box that CutMix cuts for an intended source share `lam` around pixel (y, x).

    Sides int(height * sqrt(lam)), int(width * sqrt(lam)), truncated; then `region.clipped_box`.
    """
    side = jnp.sqrt(lam)
    size = (height * side).astype(jnp.int32), (width * side).astype(jnp.int32)
    return region.clipped_box(y, x, size, height, width)


@mixing_op
def cutmix(
    key: Array, images: Array, labels: Array, *, alpha: float = 1.0, prob: float = 0.5, per: str = 'batch'
) -> tuple[Array, Array]:
    """Pastes a random box of the partner at the same place.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        apply    with probability `prob` (one draw a batch or an image); otherwise nothing changes.
        lam0     ~ Beta(alpha, alpha), the intended source share.
        box      centre uniform over the pixels, sides int(H * sqrt(lam0)), int(W * sqrt(lam0)),
                 half sides truncated, clipped at the border (`cut_box`). Same box in both images.
        lam      the share of the pixels in the clipped box; E[lam] = 0.299 at 32 x 32 with alpha = 1.
        label    (1 - lam) * target + lam * source.
        per      'batch': apply, lam0 and the box are drawn once for the batch, as in the public code;
                 'sample': they are drawn independently per image.

    Source: arXiv:1905.04899; clovaai/CutMix-PyTorch train.py, whose `lam` is the target's share and whose
    README trains CIFAR with prob 0.5, ImageNet with 1.0. The paper's eq. 4-5 (ResizeMix) is this lam. timm's
    CutMix is another law since 1.0.29: its half sides are side // 2 and (side + 1) // 2, so that odd sides
    keep their last pixel, E[lam] = 0.310 at 32 x 32. In all versions it pairs a batch with its reverse.

    Args:
        key, images, labels, per: see the contract of `resizemix_jax.mixing`.
        alpha: > 0.
        prob: in [0, 1].

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    POSITIVE.check(alpha=alpha)
    SHARE.check(prob=prob)
    batch, height, width, _ = images.shape
    count = pairing.draws(per, batch)
    key_partner, key_lam, key_centre, key_apply = jax.random.split(key, 4)
    partner = pairing.draw_partner(key_partner, batch)
    lam0 = pairing.draw_beta(key_lam, alpha, count)
    # An empty box means "not applied".
    lam0 = jnp.where(jax.random.uniform(key_apply, (count,)) < prob, lam0, 0.0)
    y, x = region.draw_centres(key_centre, count, height, width)
    box = cut_box(y, x, lam0, height, width)
    mixed = jnp.where(region.inside(box, height, width), images[partner], images)
    return mixed, pairing.mix_labels(labels, partner, region.share(box, height, width))
