"""RandAugment (Cubuk et al., 2020): N operations an image, all of magnitude M."""

import functools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment import _ops as ops
from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment._images import augmentation
from resizemix_jax.ranges import Choice, Number, Whole

COLOUR = ('AutoContrast', 'Equalize', 'Posterize', 'Solarize', 'Color', 'Contrast', 'Brightness', 'Sharpness')
WARPS = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')
# scale -> (operations, largest M, probability of each, fill, interpolation)
SCALES = {
    'torchvision': (('Identity', *COLOUR, *WARPS), 30, 1.0, 0, 'nearest'),
    'ildoonet': ((*COLOUR, *WARPS, 'Invert', 'SolarizeAdd', 'Cutout'), 30, 1.0, 0, 'nearest'),
    'tpu': ((*COLOUR, *WARPS, 'Invert', 'SolarizeAdd', 'Cutout'), 30, 1.0, 128, 'nearest'),
    'timm': ((*COLOUR, *WARPS, 'Invert', 'SolarizeAdd'), 10, 0.5, 128, 'bilinear'),
    'released': (('Identity', 'Identity', *COLOUR[2:], *WARPS, 'Invert'), 30, 1.0, 0, 'bilinear'),
}


@augmentation
def randaugment(
    key: Array,
    images: Array | np.ndarray,
    *,
    n: int = 2,
    m: float = 9,
    scale: str = 'torchvision',
    per: str = 'sample',
    fill: int | Sequence[int] | str = 'scale',
    interpolation: str = 'scale',
) -> Array:
    """Applies `n` operations, drawn with replacement.

    Law:
        operation uniform over the scale's operations, `n` times, independently per image.
        magnitude `m`, the same for all, read by `scale`:
            'torchvision'  m / 30 of the range, 14 operations with Identity and without Invert; factors
                           1 + or - .9 m / 30. The usual meaning of "RandAugment" in current code.
            'ildoonet'     m / 30 of the EfficientNet code's ranges, 16 operations, two of them in forms of
                           its own (`_ops.apply`, variant='ildoonet'); with m = 14 the factors are .94,
                           nearly nothing, and translations 46.7 pixels whatever the size, so that both
                           empty an image of 32 pixels. The port used for the compared CIFAR numbers.
            'tpu'          m / 10, not capped at 10 (m = 17 rotates by 51 degrees), 16 operations, two of them
                           in forms of its own (variant='tpu'), gray fill; also big_vision's. Beside these
                           two, TensorFlow's rounding gives AutoContrast and Color other values, by up to 1
                           and 3, in less than 1 % of the pixels.
            'timm'         m / 10, m <= 10, 15 operations, each with probability 1/2, gray fill, bilinear
                           (timm chooses bilinear or bicubic at random).
            'released'     that of JayQine/ResizeMix, applied after the mixing, with much weaker magnitudes:
                           see `released`.
        sign      of shears, translations and rotations (and 'torchvision' factors), + or - with equal chance.

    Source: arXiv:1909.13719. The settings of the compared rows are in resizemix_jax/recipes.py.

    Args:
        key: typed JAX key.
        images: uint8 [B, H, W, C].
        n: operations, 0 to 100.
        m: the magnitude, from 0 to the scale's largest.
        scale: one of SCALES.
        per: 'sample', or 'batch' for one draw for the whole batch, the released law.
        fill: colour of the pixels that a warp uncovers: 'scale' for that of the scale; or a value, or one for
            each channel.
        interpolation: of the warps: 'scale', 'nearest' or 'bilinear'.

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: an unknown scale, per or interpolation; n, m or the fill out of range.
    """
    Choice(*SCALES).check(scale=scale)
    names, largest, prob, own_fill, own_interpolation = SCALES[scale]
    Whole(0, 100).check(n=n)
    Number(0, largest).check(f'scale={scale!r}: ', m=m)
    batch, height, width, _ = images.shape
    reading = functools.partial(_read, scale, height=height, width=width)
    space = policies.steps([[name, prob, m] for name in names], reading)
    apply_step = functools.partial(
        policies.apply_step, per=per, spread=scale == 'released', fill=own_fill if fill == 'scale' else fill,
        cutout_fill=128 if scale == 'tpu' else (125, 123, 114),
        variant=scale if scale in ops.VARIANTS else 'pillow',
        interpolation=own_interpolation if interpolation == 'scale' else interpolation,
    )  # fmt: skip

    def one(layer, images):
        key_op, key_first, key_do = jax.random.split(jax.random.fold_in(key, layer), 3)
        step = space.at(policies.draw_index(key_op, len(names), batch, per))
        if scale == 'released':
            images = apply_step(key_first, images, _before(step, m / 30, height))
        return apply_step(key_do, images, step)

    return lax.fori_loop(0, n, one, images)  # compiles one operation, whatever n is


def released(op: str, m: float, height: int, width: int) -> tuple[float, float, bool]:
    """The magnitudes of RandAugment_cuda in JayQine/ResizeMix (augment/augmentations_cuda.py), f = m / 30.

    TranslateX moves both axes by U(-.5 f, .5 f) of the side, TranslateY one; Rotate U(-45 f, 45 f) degrees;
    Shear .5 f *degrees*, which moves nothing at 32 pixels; Solarize adds U(-.1, .1) of 255, and then inverts
    above U(.5 - f, .5 + f) of it; posterize to int(U(b, 8)) bits with b = int(4 + 4 f), so 5, 6 or 7 with
    m = 14; factors .1 + 1.8 f (.94 with m = 14); Invert always; no Equalize. Warps are bilinear.

    Here AutoContrast is a second Identity. There it happens to each image with probability f and stretches
    the range of the whole batch, which is 0 to 255, so it changes nothing but white: 255 reads past the end
    of its table, and becomes 0 in the channels that have it. There nothing is rounded to uint8.
    """
    f = m / 30
    bits = int(4 + 4 * f)
    if op in magnitudes.ENHANCE:
        return 0.1 + 1.8 * f, 0.0, False
    values = {
        'ShearX': (math.tan(math.radians(0.5 * f)), 0.0, False),
        'ShearY': (math.tan(math.radians(0.5 * f)), 0.0, False),
        'TranslateX': (0.0, 0.5 * f * width, True),
        'TranslateY': (0.0, 0.5 * f * height, True),
        'Rotate': (0.0, 45 * f, True),
        'Solarize': (127.5, 255 * f, True),
        'Posterize': ((bits + 8) / 2, (8 - bits) / 2, True),
    }
    return values.get(op, magnitudes.NOTHING)


def _before(step, f, height):
    """The first part of the released TranslateX and Solarize; nothing for the other operations."""
    across, solarize = (step.op == ops.OPS.index(name) for name in ('TranslateX', 'Solarize'))
    nothing, down, add = (ops.OPS.index(name) for name in ('Identity', 'TranslateY', 'Add'))
    return step._replace(
        op=jnp.where(across, down, jnp.where(solarize, add, nothing)),
        base=jnp.zeros_like(step.base),
        amount=jnp.where(across, 0.5 * f * height, 0.1 * 255),
        signed=jnp.ones_like(step.signed),
    )


def _read(scale, op, m, height, width):
    if scale == 'torchvision':
        return magnitudes.torchvision(op, m, height, width, bins=31)
    if scale == 'ildoonet':
        return magnitudes.ildoonet(op, m, height, width)
    if scale == 'released':
        return released(op, m, height, width)
    side = width if op.endswith('X') else height
    return magnitudes.tpu(op, m, height, width, translate=100 if scale == 'tpu' else 0.45 * side, cutout=40)
