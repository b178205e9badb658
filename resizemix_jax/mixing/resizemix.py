"""ResizeMix (Qin et al., 2020): the whole source image, resized, is pasted onto the target."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.mixing._resize import KERNELS, resize
from resizemix_jax.ranges import Choice, Flag, Interval

METHODS = ('nearest', *KERNELS)

BRANCHES = 8  # of the smooth methods with one tau a batch: 16 are not faster


@mixing_op
def resizemix(
    key: Array,
    images: Array,
    labels: Array,
    *,
    tau: float | tuple[float, float] = (0.1, 0.8),
    per: str = 'batch',
    method: str = 'nearest',
    antialias: bool = True,
) -> tuple[Array, Array]:
    """Pastes the resized partner, whole, at a random place of every image.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        tau      ~ U(low, high), the side scale; once a batch (the released code) or once an image.
        size     h = floor(H * tau), w = floor(W * tau): 3..25 pixels at 32 with the default tau.
        box      independently per image: centre uniform over the pixels, the h x w box around it moved
                 inside (`region.shifted_box`), so the patch is always whole.
        patch    'nearest': pixel i of the patch is source pixel min(floor(i / tau), side - 1), on each
                 axis (top-left, from the drawn tau, not from h / H); no antialiasing.
                 otherwise: `jax.image.resize` of the source to h x w (half-pixel centres).
        lam      h * w / (H * W), the integer area that is pasted, not tau^2; E[lam] = 0.2297 at 32 x 32.
        label    (1 - lam) * target + lam * source.
        always applied. A size of 0 pastes nothing and has lam = 0.

    Source: arXiv:2012.11101, eq. 6-9, which leaves open per, size, interpolation and border; those are from
    JayQine/ResizeMix run_apis/trainer.py (one tau and one permutation a batch and GPU, a box an image,
    F.interpolate's nearest). Other public versions are other methods: openmixup draws one box a batch,
    clips it and squeezes the source into it, with tau ~ Beta(alpha, alpha), redrawn from U(.1, .8) if it is
    outside (its configs say use_alpha=True; alpha 1 is then U(.1, .8)), so that E[lam] is .158 at 32 x 32;
    mmpretrain draws the area from a Beta law and squeezes too, E[lam] .334.

    Args:
        key, images, labels, per: see the contract of `resizemix_jax.mixing`.
        tau: (low, high) with 0 < low <= high <= 1, or one number for both.
        method: one of METHODS.
        antialias: whether the smooth methods widen their kernel when shrinking; 'nearest' ignores it.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    low, high = check_tau(tau)
    Choice(*METHODS).check(method=method)
    Flag().check(antialias=antialias)
    batch, height, width, _ = images.shape
    count = pairing.draws(per, batch)
    key_partner, key_tau, key_centre = jax.random.split(key, 3)
    partner = pairing.draw_partner(key_partner, batch)
    scale = jax.random.uniform(key_tau, (count,), minval=low, maxval=high)
    y, x = region.draw_centres(key_centre, batch, height, width)
    size = patch_size(scale, height, width)
    box = region.shifted_box(y, x, size, height, width)
    if method == 'nearest':
        patched = paste_nearest(images, partner, scale, box)
    else:
        patched = paste_smooth(images, partner, scale, box, (low, high), method, antialias)
    return patched, pairing.mix_labels(labels, partner, region.share(box, height, width))


def check_tau(tau: float | tuple[float, float]) -> tuple[float, float]:
    """`tau`, (low, high) or one number for both, as (low, high); ValueError unless 0 < low <= high <= 1."""
    pair = tau if isinstance(tau, tuple | list) else (tau, tau)
    Interval().check(tau=pair)
    low, high = pair
    return low, high


def patch_size(tau: Array, height: int, width: int) -> tuple[Array, Array]:
    """The sides (h, w) of the patch: int32, of the shape of `tau`."""
    return (jnp.floor(height * tau).astype(jnp.int32), jnp.floor(width * tau).astype(jnp.int32))


def paste_nearest(images: Array, partner: Array, tau: Array, box: Array) -> Array:
    """The released law of 'nearest', one form for any size: two gathers and a select.

    The patch is read at its place in the target, so there is no temporary patch and no size-dependent
    shape; it is the fastest form on CPU (benchmarks/mixing.py) and compiles in a second at any size.

    Args:
        images: float [B, H, W, C].
        partner: int32 [B].
        tau: float32 [B] or [1].
        box: int32 [B, 4].
    """
    _, height, width, _ = images.shape
    rows = _nearest_index(height, box[:, 0], tau)
    cols = _nearest_index(width, box[:, 1], tau)
    return region.paste(images, partner, rows, cols, box)


def _nearest_index(side, start, tau):
    """The source pixel of every target pixel along one axis: int32 [B, side], clamped to the image."""
    offset = jnp.arange(side) - start[:, None]
    index = jnp.floor(offset * (1 / tau)[:, None]).astype(jnp.int32)
    return jnp.clip(index, 0, side - 1)


def paste_smooth(
    images: Array,
    partner: Array,
    tau: Array,
    box: Array,
    limits: tuple[float, float],
    method: str,
    antialias: bool,
) -> Array:
    """The smooth forms: `resize` to the drawn sizes, and two gathers and a select, as for 'nearest'.

    One tau a batch chooses among BRANCHES static bounds of the size, so that small patches cost little.

    Args:
        images: float [B, H, W, C].
        partner: int32 [B].
        tau: float32 [B] or [1].
        box: int32 [B, 4].
        limits: (low, high), static, of tau.
        method, antialias: see `resizemix`.
    """
    _, height, width, _ = images.shape
    size = patch_size(tau, height, width)
    if len(tau) > 1:
        h, w = size
        size = h[jnp.argsort(partner)], w[jnp.argsort(partner)]  # of a source, the size for its target

    def up_to(bound):
        most = tuple(max(int(np.float32(side) * bound), 1) for side in (height, width))  # as on the device

        def paste(images):
            patches = resize(images, size, most, method, antialias)
            rows, cols = (
                jnp.clip(jnp.arange(side) - box[:, axis, None], 0, top - 1)
                for axis, (side, top) in enumerate(zip((height, width), most, strict=True))
            )
            source = region.read(patches, partner, rows, cols)
            return jnp.where(region.inside(box, height, width), source, images)

        return paste

    low, high = limits
    bounds = np.unique(np.linspace(low, high, (1 if len(tau) > 1 else BRANCHES) + 1)[1:].astype(np.float32))
    return lax.switch(jnp.sum(tau[0] > bounds[:-1]), [up_to(bound) for bound in bounds], images)
