"""Random Erasing (Zhong et al., 2017): a rectangle of the image is painted over."""

import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax.mixing import _pairing as pairing
from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op

ASPECTS = ('uniform', 'log_uniform')


@mixing_op
def random_erasing(
    key, images, labels, *, prob=0.5, area=(0.02, 0.4), ratio=0.3, aspect='uniform', attempts=100,
    fill=(0.4914, 0.4822, 0.4465),
):  # fmt: skip
    """Paints one rectangle an image; labels are untouched.

    Law:
        apply    with probability `prob`; every draw is an image's own.
        size     a ~ U(area) * H * W and r ~ the aspect; h = round(sqrt(a * r)) and w = round(sqrt(a / r)),
                 halves to even; drawn anew until h < H and w < W, at most `attempts` times. If none fits,
                 nothing is erased. (All attempts are drawn and the first that fits is taken: the same law.)
        aspect   'uniform': r ~ U(ratio, 1 / ratio), so most rectangles are tall; 'log_uniform': log r uniform
                 between the logarithms of these ends, so tall and wide occur alike.
        place    the upper left corner, uniform over the places where the rectangle is inside.
        fill     a value, or one for each channel; of several, images of one channel take the first. It is
                 written into the images as they are.
        label    unchanged.

    Source: arXiv:1708.04896; zhunzhong07/Random-Erasing transforms.py. Its fill, CIFAR's mean in [0, 1], is
    written after the normalisation, as here, since the trainer mixes after it: a gray half a standard
    deviation above the mean, and not the mean, which would be 0. timm's constant mode is area (0.02, 1 / 3),
    aspect 'log_uniform', attempts 10, fill 0.

    Args:
        key, images, labels: see the contract of `resizemix_jax.mixing`.
        prob: in [0, 1].
        area: (low, high) with 0 < low <= high <= 1.
        ratio: in (0, 1].
        aspect: one of ASPECTS.
        attempts: >= 1.
        fill: a number, or a tuple of as many as there are channels.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    pairing.check_share(prob=prob)
    _check(area, ratio, aspect, attempts)
    batch, height, width, channels = images.shape
    colour = _colour(fill, channels).astype(images.dtype)
    key_apply, key_size, key_y, key_x = jax.random.split(key, 4)
    h, w = _draw_size(key_size, (batch, attempts), height, width, area, ratio, aspect)
    fits = (h < height) & (w < width)
    first = jnp.argmax(fits, axis=1)[:, None]
    h, w, fits = (jnp.take_along_axis(a, first, axis=1)[:, 0] for a in (h, w, fits))
    erase = fits & (jax.random.uniform(key_apply, (batch,)) < prob)
    # A box of no area is how "not applied" is written.
    h, w = jnp.where(erase, h, 0), jnp.where(erase, w, 0)
    y = jax.random.randint(key_y, (batch,), 0, height - h + 1)
    x = jax.random.randint(key_x, (batch,), 0, width - w + 1)
    box = jnp.stack([y, x, y + h, x + w], axis=-1)
    return jnp.where(region.inside(box, height, width), colour, images), labels


def _check(area, ratio, aspect, attempts):
    if np.shape(area) != (2,) or not 0 < area[0] <= area[1] <= 1:
        raise ValueError(f'area={area} must satisfy 0 < low <= high <= 1 for area = (low, high)')
    if not 0 < ratio <= 1:
        raise ValueError(f'ratio={ratio} must be in (0, 1]; the other end of the aspect is 1 / ratio')
    if aspect not in ASPECTS:
        raise ValueError(f'aspect={aspect!r} must be one of: {", ".join(ASPECTS)}')
    if attempts < 1:
        raise ValueError(f'attempts={attempts} must be >= 1')


def _colour(fill, channels):
    """`fill` as float32 [1] or [C]."""
    colour = jnp.atleast_1d(jnp.asarray(fill, jnp.float32))
    if channels == 1:
        return colour[:1]
    if colour.shape not in ((1,), (channels,)):
        raise ValueError(f'fill={fill} must be a number, or one for each of the {channels} channels')
    return colour


def _draw_size(key, shape, height, width, area, ratio, aspect):
    """The sides of rectangles, int32 of that shape each."""
    key_area, key_ratio = jax.random.split(key)
    pixels = jax.random.uniform(key_area, shape, minval=area[0], maxval=area[1]) * (height * width)
    if aspect == 'uniform':
        r = jax.random.uniform(key_ratio, shape, minval=ratio, maxval=1 / ratio)
    else:
        end = -jnp.log(ratio)
        r = jnp.exp(jax.random.uniform(key_ratio, shape, minval=-end, maxval=end))
    return sides(pixels, r)


def sides(pixels, r):
    """The sides (h, w) of a rectangle of so many pixels with h / w = r, but for rounding: int32."""
    return tuple(jnp.round(jnp.sqrt(side)).astype(jnp.int32) for side in (pixels * r, pixels / r))
