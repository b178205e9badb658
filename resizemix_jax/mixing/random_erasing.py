"""Random Erasing (Zhong et al., 2017): a rectangle of the image is filled with a colour."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.mixing import _region as region
from resizemix_jax.mixing._op import mixing_op
from resizemix_jax.ranges import SHARE, Choice, Interval, Number, Several, Whole

ASPECTS = ('uniform', 'log_uniform')


@mixing_op
def random_erasing(
    key: Array,
    images: Array,
    labels: Array,
    *,
    prob: float = 0.5,
    area: tuple[float, float] = (0.02, 0.4),
    ratio: float = 0.3,
    aspect: str = 'uniform',
    attempts: int = 100,
    fill: float | Sequence[float] = (0.4914, 0.4822, 0.4465),
) -> tuple[Array, Array]:
    """Fills one rectangle an image; labels are untouched.

    Law:
        apply    with probability `prob`; every draw is independent per image.
        size     a ~ U(area) * H * W and r ~ the aspect; h = round(sqrt(a * r)) and w = round(sqrt(a / r)),
                 halves to even; drawn again until h < H and w < W, at most `attempts` times. If none fits,
                 nothing is erased. (All attempts are drawn and the first that fits is taken: the same law.)
        aspect   'uniform': r ~ U(ratio, 1 / ratio), so most rectangles are tall; 'log_uniform': log r uniform
                 between the logarithms of these ends, so tall and wide are equally likely.
        place    the upper left corner, uniform over the places where the rectangle is inside.
        fill     a value, or one for each channel (the first, for images of one channel), written into the
                 images as they are.
        label    unchanged.

    Source: arXiv:1708.04896; zhunzhong07/Random-Erasing transforms.py. Its fill, CIFAR's mean in [0, 1], is
    written after the normalisation, as here, since the trainer mixes after it: a gray half a standard
    deviation above the mean; the mean itself would be 0. timm's constant mode is area (0.02, 1 / 3),
    aspect 'log_uniform', attempts 10, fill 0.

    Args:
        key, images, labels: see the contract of `resizemix_jax.mixing`.
        prob: in [0, 1].
        area: (low, high) with 0 < low <= high <= 1.
        ratio: in [0.001, 1].
        aspect: one of ASPECTS.
        attempts: >= 1.
        fill: a number, or a tuple with one for each channel.

    Returns:
        images and labels, of the given shapes and dtypes.
    """
    SHARE.check(prob=prob)
    _check(area, ratio, aspect, attempts)
    batch, height, width, channels = images.shape
    colour = _colour(fill, channels).astype(images.dtype)
    key_apply, key_size, key_y, key_x = jax.random.split(key, 4)
    h, w = _draw_size(key_size, (batch, attempts), height, width, area, ratio, aspect)
    fits = (h < height) & (w < width)
    first = jnp.argmax(fits, axis=1)[:, None]
    h, w, fits = (jnp.take_along_axis(a, first, axis=1)[:, 0] for a in (h, w, fits))
    erase = fits & (jax.random.uniform(key_apply, (batch,)) < prob)
    # An empty box means "not applied".
    h, w = jnp.where(erase, h, 0), jnp.where(erase, w, 0)
    y = jax.random.randint(key_y, (batch,), 0, height - h + 1)
    x = jax.random.randint(key_x, (batch,), 0, width - w + 1)
    box = jnp.stack([y, x, y + h, x + w], axis=-1)
    return jnp.where(region.inside(box, height, width), colour, images), labels


def _check(area, ratio, aspect, attempts):
    Interval().check(area=area)
    Number(1e-3, 1).check(ratio=ratio)
    Choice(*ASPECTS).check(aspect=aspect)
    Whole(1, 10_000).check(attempts=attempts)


def _colour(fill, channels):
    """`fill` as float32 [1] or [C]."""
    values = tuple(fill) if isinstance(fill, tuple | list) else (fill,)
    if channels > 1 and len(values) > 1:
        Several(Number(), channels).check(fill=values)
    Several(Number()).check(fill=values)
    return jnp.atleast_1d(jnp.asarray(fill, jnp.float32))[: 1 if channels == 1 else None]


def _draw_size(key, shape, height, width, area, ratio, aspect):
    """The sides h and w of rectangles, each int32 of `shape`."""
    key_area, key_ratio = jax.random.split(key)
    pixels = jax.random.uniform(key_area, shape, minval=area[0], maxval=area[1]) * (height * width)
    if aspect == 'uniform':
        r = jax.random.uniform(key_ratio, shape, minval=ratio, maxval=1 / ratio)
    else:
        end = -jnp.log(ratio)
        r = jnp.exp(jax.random.uniform(key_ratio, shape, minval=-end, maxval=end))
    return sides(pixels, r)


def sides(pixels: Array, r: Array) -> tuple[Array, Array]:
    """The rounded sides (h, w) of a rectangle with that many pixels and h / w = r: int32."""
    height, width = (jnp.round(jnp.sqrt(side)).astype(jnp.int32) for side in (pixels * r, pixels / r))
    return height, width
