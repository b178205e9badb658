"""FMix (Harris et al., 2020): the source is shown where a random, smooth field is highest."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing._op import mixing_op, vary_together
from resizemix_jax.ranges import POSITIVE, Choice, Number

WEIGHTS = ('drawn', 'mask')


@mixing_op
def fmix(
    key: Array,
    images: Array,
    labels: Array,
    *,
    alpha: float = 1.0,
    decay: float = 3.0,
    spectrum: str = 'released',
    weight: str = 'drawn',
    per: str = 'batch',
) -> tuple[Array, Array]:
    """Mixes every image with its partner by a binary mask of a drawn area.

    Law:
        partner  a uniform permutation of the batch; fixed points are allowed.
        lam0     ~ Beta(alpha, alpha), the intended source share.
        count    floor(lam0 * H * W) or the ceiling of it, with probability 1/2 each.
        field    the inverse Fourier transform of a spectrum of normal numbers that falls with the frequency.
        mask     the `count` pixels where the field is highest, exactly; ties go to the first in row order.
                 They show the source. (The field and its negative have the same law, so the lowest would do.)
        lam      weight 'drawn': lam0, as published, less than 1 / (H * W) away from the mask's share;
                 'mask': the share of the pixels in the mask.
        label    (1 - lam) * target + lam * source.
        per      'batch': lam0 and the mask are drawn once per batch, as in the public code;
                 'sample': once per image.
        always applied.

    Spectra, with d(f) = max(f, 1 / max(H, W)) ** -decay, f in cycles a pixel, and normal n, n':
        textbook  d(|f|) * (n + i n') at every frequency f of the plane, as the paper describes.
        released  the spectrum that the public code really uses: two rows of that plane, taken for the real
                  and the imaginary part. At the frequency (a / H, b / W), b = 0 or 1, it is
                  d(fa) * n + i d(sqrt(fa**2 + 1 / H**2)) * n' with fa = min(a, W - a) / W, for a from 0 to
                  W // 2, or to W // 2 + 1 if W is odd, and a < H; elsewhere 0. So the field has one period
                  along x.

    Source: arXiv:2002.12047; ecs-vlc/FMix fmix.py, whose `lam` and mask are the target's; Beta(alpha, alpha)
    is symmetric, so the law is the same. Its soft masks and its loss on one label alone are not implemented.

    Args:
        key, images, labels, per: see the contract of `resizemix_jax.mixing`. Sides of at least 3 pixels.
        alpha: > 0.
        decay: in (0, 10]; beyond, the spectrum of large images would overflow.
        spectrum: one of FIELDS.
        weight: one of WEIGHTS.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    POSITIVE.check(alpha=alpha)
    Number(0, 10, '(]').check(decay=decay)
    Choice(*FIELDS).check(spectrum=spectrum)
    Choice(*WEIGHTS).check(weight=weight)
    batch, height, width, _ = images.shape
    if min(height, width) < 3:
        raise ValueError(
            f'images of {height} x {width} pixels are too small for fmix; it needs at least 3 x 3'
        )
    draws = pairing.draws(per, batch)
    key_partner, key_lam, key_round, key_field = jax.random.split(key, 4)
    partner = pairing.draw_partner(key_partner, batch)
    lam = pairing.draw_beta(key_lam, alpha, draws)
    wanted = lam * (height * width)
    up = jax.random.bernoulli(key_round, shape=(draws,))
    count = jnp.where(up, jnp.ceil(wanted), jnp.floor(wanted)).astype(jnp.int32)
    normal = jax.random.normal(key_field, (draws, 2, *spectrum_shape(spectrum, height, width)))
    field = FIELDS[spectrum](normal, height, width, decay)
    mask = top_k_mask(field.reshape(draws, -1), count).reshape(draws, height, width, 1)
    mixed = jnp.where(mask, images[partner], images)
    if weight == 'mask':
        lam = count.astype(jnp.float32) / (height * width)
    return mixed, pairing.mix_labels(labels, partner, lam)


def spectrum_shape(spectrum: str, height: int, width: int) -> tuple[int, int]:
    """The number of frequencies of a spectrum along y and x."""
    if spectrum == 'textbook':
        return height, width // 2 + 1
    return min(width // 2 + 1 + width % 2, height), 2


def textbook_field(normal: Array, height: int, width: int, decay: float) -> Array:
    """The field of the textbook spectrum: float32 [N, H, W].

    Args:
        normal: float32 [N, 2, H, W // 2 + 1], the real and the imaginary parts.
        height, width, decay: numbers.
    """
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    scale = _decayed(np.hypot(y, x), height, width, decay)
    return jnp.fft.irfft2(scale * lax.complex(normal[:, 0], normal[:, 1]), (height, width))


def released_field(normal: Array, height: int, width: int, decay: float) -> Array:
    """The field of the released spectrum, times H * W: float32 [N, H, W].

    All but two of its columns are 0, so the inverse transform is a sum over y for each and a wave along x.

    Args:
        normal: float32 [N, 2, A, 2], the real and the imaginary parts.
        height, width, decay: numbers.
    """
    a = np.arange(normal.shape[2])
    along = np.minimum(a, width - a) / width
    real = _decayed(along, height, width, decay)[:, None] * normal[:, 0]
    imaginary = _decayed(np.hypot(along, 1 / height), height, width, decay)[:, None] * normal[:, 1]
    waves_y = np.exp(2j * np.pi * np.outer(np.arange(height), a) / height).astype(np.complex64)
    wave_x = np.exp(2j * np.pi * np.arange(width) / width).astype(np.complex64)
    sums = jnp.einsum('ya,nab->nby', waves_y, lax.complex(real, imaginary), precision='highest')
    # Twice, for the negative frequency, which a spectrum of a real field does not list.
    return sums[:, 0].real[:, :, None] + 2 * (sums[:, 1, :, None] * wave_x).real


FIELDS = {'released': released_field, 'textbook': textbook_field}


def _decayed(frequency, height, width, decay):
    return (np.maximum(frequency, 1 / max(height, width)) ** -decay).astype(np.float32)


def top_k_mask(field: Array, count: Array) -> Array:
    """A mask of exactly the `count` highest pixels of each field; ties go to the first: bool [N, P].

    The threshold is found bit by bit: 32 counts, which take a sixth to an eleventh of the time of a sort
    on a CPU of 2 cores.

    Args:
        field: float32 [N, P], without NaN.
        count: int32 [N], 0 to P.
    """
    bits = lax.bitcast_convert_type(field, jnp.uint32)
    # Unsigned numbers in the order of the floats: all bits of a negative float flipped, the sign bit of
    # others.
    order = jnp.where(field < 0, ~bits, bits | jnp.uint32(1 << 31))

    def next_bit(i, level):
        higher = level | (jnp.uint32(1 << 31) >> i.astype(jnp.uint32))
        enough = jnp.sum(order >= higher[:, None], axis=1, dtype=jnp.int32) >= count
        return jnp.where(enough, higher, level)

    none, _ = vary_together((jnp.zeros(len(field), jnp.uint32), (order, count)))
    level = lax.fori_loop(0, 32, next_bit, none)[:, None]
    above, equal = order > level, order == level
    missing = count[:, None] - jnp.sum(above, axis=1, keepdims=True, dtype=jnp.int32)
    return above | (equal & (jnp.cumsum(equal, axis=1, dtype=jnp.int32) <= missing))
