"""AugMix (Hendrycks et al., 2020): a mixture of chains of operations with the image itself."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment import _ops as ops
from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment._images import augmentation
from resizemix_jax.ranges import POSITIVE, Number, Whole

NAMES = (
    'AutoContrast', 'Equalize', 'Posterize', 'Rotate', 'Solarize',
    'ShearX', 'ShearY', 'TranslateX', 'TranslateY',
)  # fmt: skip


@augmentation
def augmix(
    key: Array,
    images: Array | np.ndarray,
    *,
    severity: float = 3.0,
    width: int = 3,
    depth: int = 3,
    alpha: float = 1.0,
    fill: int | Sequence[int] = 0,
    interpolation: str = 'bilinear',
) -> Array:
    """One augmented view of every image, without the consistency loss.

    Law (every draw is independent per image):
        weights   w ~ Dirichlet(alpha, ..., alpha) of `width` chains; m ~ Beta(alpha, alpha).
        chain     of 1 to `depth` operations, the length uniform, each uniform over NAMES.
        magnitude per operation, s ~ U(0.1, severity): shear .03 s, translation int(s side / 30)
                  pixels, rotation int(3 s) degrees, with a random sign; solarize at 256 - int(25.6 s),
                  posterize to 4 - int(.4 s) bits.
        image     (1 - m) x + m * sum w_i chain_i(x), rounded to uint8.

    Source: arXiv:1912.02781; google-research/augmix, where the mixture is not rounded. severity is 3
    for CIFAR, 1 for ImageNet. Place: after the crop and flip.

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        severity: in (0.1, 10].
        width: chains, 1 to 100.
        depth: operations of the longest chain, 1 to 100.
        alpha: > 0.
        fill: colour of the pixels that a warp uncovers: a value, or one for each channel; 0..255.
        interpolation: of the warps, 'nearest' or 'bilinear'.

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: a number out of range.
    """
    Number(0.1, 10, '(]').check(severity=severity)
    Whole(1, 100).check(width=width, depth=depth)
    POSITIVE.check(alpha=alpha)
    batch, how = images.shape[0], dict(fill=fill, interpolation=interpolation)
    key_weights, key_share, key_chains = jax.random.split(key, 3)
    weights = jax.random.dirichlet(key_weights, jnp.full(width, alpha), (batch,))
    share = jax.random.beta(key_share, alpha, alpha, (batch, 1, 1, 1))

    def add(i, mixture):
        chain = _chain(jax.random.fold_in(key_chains, i), images, severity, depth, **how)
        return mixture + weights[:, i, None, None, None] * chain

    # Loops on the device: one operation is compiled instead of width x depth.
    mixture = lax.fori_loop(0, width, add, jnp.zeros(images.shape, jnp.float32))
    return jnp.round((1 - share) * images + share * mixture).astype(jnp.uint8)


def _chain(key, images, severity, depth, **how):
    batch, height, width, _ = images.shape
    key_length, key_links = jax.random.split(key)
    length = jax.random.randint(key_length, (batch,), 1, depth + 1)
    indices = jnp.array([ops.OPS.index(name) for name in NAMES])

    def add(link, images):
        key_op, key_level, key_do = jax.random.split(jax.random.fold_in(key_links, link), 3)
        op = indices[policies.draw_index(key_op, len(NAMES), batch, 'sample')]
        level = jax.random.uniform(key_level, (batch,), minval=0.1, maxval=severity)
        amount, signed = _amount(op, level, height, width)
        base = jnp.where(signed, 0.0, amount)
        step = policies.Steps(op, (link < length).astype(jnp.float32), base, amount * signed, signed)
        return policies.apply_step(key_do, images, step, **how)

    return lax.fori_loop(0, depth, add, images)


def _amount(op, level, height, width):
    """The parameters at the drawn levels, float32 [B], and whether they get a random sign, bool [B]."""
    known = {
        'ShearX': 0.03 * level,
        'ShearY': 0.03 * level,
        'TranslateX': jnp.floor(level * width / 30),
        'TranslateY': jnp.floor(level * height / 30),
        'Rotate': jnp.floor(3 * level),
        'Solarize': 256 - jnp.floor(25.6 * level),
        'Posterize': 4 - jnp.floor(0.4 * level),
    }
    amount, signed = jnp.zeros_like(level), jnp.zeros(level.shape, bool)
    for name, value in known.items():
        here = op == ops.OPS.index(name)
        amount = jnp.where(here, value, amount)
        signed |= here & (name in magnitudes.GEOMETRIC)
    return amount, signed
