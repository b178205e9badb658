"""Cut and paste (Qin et al., 2020, section 3): a patch is cut from one region and pasted into another."""

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.mixing.resizemix import check_tau, patch_size
from resizemix_jax.ranges import POSITIVE, Choice

NEEDS = ('saliency',)

SOURCES = ('random', 'salient', 'non_salient')
PASTES = ('corresponding', 'random', 'salient', 'non_salient')
SIZES = ('tau', 'beta')


@mixing_op
def cut_paste(
    key: Array,
    images: Array,
    labels: Array,
    *,
    source: str = 'random',
    paste: str = 'random',
    size: str = 'tau',
    tau: float | tuple[float, float] = (0.1, 0.8),
    alpha: float = 1.0,
    per: str = 'batch',
    saliency: Array | None = None,
) -> tuple[Array, Array]:
    """Cuts a patch out of the partner and pastes it without resizing; Table 1's rows 2 to 8.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        size     'tau': tau ~ U(low, high), h = floor(H * tau), w = floor(W * tau), as in ResizeMix;
                 'beta': lam0 ~ Beta(alpha, alpha), h = int(H * sqrt(lam0)), w = int(W * sqrt(lam0)), as in
                 CutMix; once a batch or once an image (`per`).
        source   the centre of the cut box, independently per image: 'random', uniform over the pixels;
                 'salient', uniform over the pixels where the partner's map is >= its maximum; 'non_salient',
                 where it is <= its minimum (eq. 1, 10-11). In a constant map every pixel is in
                 both sets.
        paste    the centre of the pasted box: 'random', independent of the source's; 'salient' and
                 'non_salient', of the target's map; 'corresponding', the cut box itself.
        box      the h x w box around its centre, moved inside (`region.shifted_box`): eq. 12-14, but w wide
                 everywhere. As printed, a box with odd w is w - 1 wide inside the image and w at its border.
        lam      h * w / (H * W), the integer area that is pasted (eq. 5).
        label    (1 - lam) * target + lam * source.
        always applied. A size of 0 pastes nothing and has lam = 0.

    Source: arXiv:2012.11101, section 3 and appendix A.1, which leaves open the sizes, per, and the
    saliency map. The defaults are from parts of the released code that nothing calls (tools/utils.py: U(0.1,
    0.8) and the shift inside). CutMix itself, which clips its box, is `cutmix`.

    Args:
        key, images, labels, per: see the contract of `resizemix_jax.mixing`.
        source: one of SOURCES.
        paste: one of PASTES.
        size: one of SIZES.
        tau: (low, high) with 0 < low <= high <= 1, or one number for both.
        alpha: > 0.
        saliency: float [B, H, W], higher is more salient; required if a region is salient or non_salient.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    check_choices(source, paste, size)
    POSITIVE.check(alpha=alpha)  # also where the size is not drawn from it, as tau below
    tau = check_tau(tau)
    if {'salient', 'non_salient'} & {source, paste}:
        saliency = pairing.check_saliency(saliency, images, 'a salient or non_salient region', 'grad_cam')
    else:
        saliency = None
    batch, height, width, _ = images.shape
    key_partner, key_size, key_source, key_paste = jax.random.split(key, 4)
    partner = pairing.draw_partner(key_partner, batch)
    side = draw_side(key_size, size, tau, alpha, pairing.draws(per, batch))
    sides = patch_size(side, height, width)
    source_saliency = None if saliency is None else saliency[partner]
    y, x = _centres(key_source, source, source_saliency, images)
    cut = region.shifted_box(y, x, sides, height, width)
    box = cut
    if paste != 'corresponding':
        y, x = _centres(key_paste, paste, saliency, images)
        box = region.shifted_box(y, x, sides, height, width)
    # Every pixel gets a place in the source; those outside the box are not read.
    rows = jnp.clip(jnp.arange(height) + (cut - box)[:, 0, None], 0, height - 1)
    cols = jnp.clip(jnp.arange(width) + (cut - box)[:, 1, None], 0, width - 1)
    mixed = region.paste(images, partner, rows, cols, box)
    return mixed, pairing.mix_labels(labels, partner, region.share(box, height, width))


def draw_side(key: Array, size: str, tau: tuple[float, float], alpha: float, count: int) -> Array:
    """The side scale of the patch, float32 [count], by the law `size`."""
    if size == 'beta':
        return jnp.sqrt(pairing.draw_beta(key, alpha, count))
    low, high = tau
    return jax.random.uniform(key, (count,), minval=low, maxval=high)


def check_choices(source: str, paste: str, size: str) -> None:
    """Raises ValueError for an unknown name."""
    Choice(*SOURCES).check(source=source)
    Choice(*PASTES).check(paste=paste)
    Choice(*SIZES).check(size=size)


def _centres(key, kind, saliency, images):
    batch, height, width, _ = images.shape
    if kind == 'random':
        return region.draw_centres(key, batch, height, width)
    if kind == 'salient':
        return region.draw_centres_in(key, saliency >= jnp.max(saliency, axis=(1, 2), keepdims=True))
    return region.draw_centres_in(key, saliency <= jnp.min(saliency, axis=(1, 2), keepdims=True))
