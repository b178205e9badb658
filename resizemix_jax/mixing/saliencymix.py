"""SaliencyMix (Uddin et al., 2021): the box of the source around its most salient pixel."""

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.mixing.cutmix import cut_box
from resizemix_jax.ranges import POSITIVE, SHARE

NEEDS = ('saliency',)


@mixing_op
def saliencymix(
    key: Array,
    images: Array,
    labels: Array,
    *,
    saliency: Array | None = None,
    alpha: float = 1.0,
    prob: float = 0.5,
    per: str = 'batch',
) -> tuple[Array, Array]:
    """Pastes the box around the partner's most salient pixel at the same place.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        apply    with probability `prob` (one draw a batch or an image); otherwise nothing changes.
        lam0     ~ Beta(alpha, alpha), the intended source share.
        centre   the pixel where the map is highest, ties go to the first in row order.
        box      CutMix's (`cutmix.cut_box`) around that centre: clipped at the border. Same in both images.
        lam      the share of the pixels in the clipped box.
        label    (1 - lam) * target + lam * source.
        per      'batch': apply, lam0 and the box are drawn once for the batch, and the centre is from the map
                 of images[partner[0]], as in the public code; 'sample': they are drawn independently per
                 image, with the centre from its partner's map, as the paper describes.

    Source: arXiv:2006.01791; afm-shahab-uddin/SaliencyMix SaliencyMix_CIFAR/saliencymix.py, whose `lam` is
    the target's share; prob 0.5 for CIFAR, 1.0 for ImageNet. There the map is OpenCV's fine-grained saliency
    of the normalised floats, whose bytes it reads as pixels, so the centre has little to do with the image
    (`resizemix_jax.saliency.fine_grained`). Here the caller chooses the map.

    Args:
        key, images, labels, per: see the contract of `resizemix_jax.mixing`.
        saliency: float [B, H, W], higher is more salient; required.
        alpha: > 0.
        prob: in [0, 1].

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    POSITIVE.check(alpha=alpha)
    SHARE.check(prob=prob)
    batch, height, width, _ = images.shape
    count = pairing.draws(per, batch)
    saliency = pairing.check_saliency(saliency, images, 'saliencymix', 'fine_grained')
    key_partner, key_lam, key_apply = jax.random.split(key, 3)
    partner = pairing.draw_partner(key_partner, batch)
    lam0 = pairing.draw_beta(key_lam, alpha, count)
    # An empty box means "not applied".
    lam0 = jnp.where(jax.random.uniform(key_apply, (count,)) < prob, lam0, 0.0)
    highest = jnp.argmax(saliency[partner[:count]].reshape(count, -1), axis=1).astype(jnp.int32)
    box = cut_box(highest // width, highest % width, lam0, height, width)
    mixed = jnp.where(region.inside(box, height, width), images[partner], images)
    return mixed, pairing.mix_labels(labels, partner, region.share(box, height, width))
