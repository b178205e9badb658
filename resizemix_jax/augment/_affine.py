"""Affine warps in Pillow's fixed-point integers, with 16 fractional bits.

The source of output pixel (x, y) is the point (a x + b y + c, d x + e y + f) / 65536, where c and f already
include the half pixel to the centre. A matrix is int32 [..., 6] = (a, b, c, d, e, f).
"""

import jax.numpy as jnp
import numpy as np

ONE = 1 << 16
INTERPOLATIONS = ('nearest', 'bilinear')
STEPS = 64  # entries per degree of the table of sines: 276 KB


def fixed(value):
    """floor(65536 value + 1/2) as int32, exactly: the product is exact in float32, the sum would not be."""
    scaled = value * ONE
    whole = jnp.floor(scaled)
    return whole.astype(jnp.int32) + (scaled - whole >= 0.5)


def shear(factor):
    """What `x + factor y`, at pixel centres, adds to the identity: the entry of y, and the constant."""
    return fixed(factor), fixed(factor / 2)


def shift(pixels, side, interpolation):
    """`x + pixels` as a constant; clipped to `side`; all is outside then. Nearest: halves are rounded up."""
    if interpolation == 'bilinear':
        return fixed(jnp.clip(pixels, -side, side))
    whole = jnp.floor(pixels)
    whole += pixels - whole >= 0.5
    return jnp.clip(whole, -side, side).astype(jnp.int32) * ONE


def rotation(degrees, height, width):
    """The matrix of a rotation by `degrees`, counter-clockwise, about the centre of the image.

    Pillow computes it in double precision, and 1/65536 decides where a pixel goes. Here a sine is an integer,
    in 1/65536, and a float32 remainder: from a table at the nearest 1/64 degree, then rotated by the rest of
    the angle, which is so small that float32 is precise enough.
    """
    cos, cos_rest = _sine(degrees, 90)
    sin, sin_rest = _sine(degrees, 0)

    def constant(cos, cos_rest, sin, sin_rest, side, other):
        # Twice (cos (1 - side) + sin (1 - other) + side) / 2: halved last, with the rounding.
        whole = cos * (1 - side) + sin * (1 - other) + side * ONE
        rest = cos_rest * (1 - side) + sin_rest * (1 - other)
        return (whole + jnp.floor(rest).astype(jnp.int32) + 1) >> 1

    def rounded(whole, rest):
        return whole + jnp.floor(rest + 0.5).astype(jnp.int32)

    # Columns need cos x - sin y, since y points down, and rows sin x + cos y.
    return jnp.stack(
        [
            rounded(cos, cos_rest),
            rounded(-sin, -sin_rest),
            constant(cos, cos_rest, -sin, -sin_rest, width, height),
            rounded(sin, sin_rest),
            rounded(cos, cos_rest),
            constant(cos, cos_rest, sin, sin_rest, height, width),
        ],
        axis=-1,
    )


def _sine(degrees, offset):
    """65536 sin(degrees + offset): an int32 part and a float32 remainder. `offset` is an integer."""
    angle = np.arange(360 * STEPS) / STEPS
    exact = np.round(np.sin(np.radians(angle)), 15) * ONE  # rounded as in Pillow: sin 180 is 0
    whole = np.rint(exact)
    nearest = jnp.round(degrees * STEPS)
    rest = (degrees - nearest / STEPS) * np.float32(np.pi / 180)
    at = (nearest.astype(jnp.int32) + offset * STEPS) % len(exact)
    quarter = (at + 90 * STEPS) % len(exact)  # where the cosine is
    sin = jnp.asarray(exact, jnp.float32)
    turned = sin[quarter] * rest - sin[at] * (rest * rest / 2)
    return jnp.asarray(whole, jnp.int32)[at], jnp.asarray(exact - whole, jnp.float32)[at] + turned


def matrix(drew, value, height, width, interpolation):
    """The matrix of every image, int32 [B, 6]: the identity except for images that drew a warp.

    Args:
        drew: name of an operation -> bool [B].
        value: float32 [B], the parameters, see `ops.apply`.
        height, width: of the images.
        interpolation: one of INTERPOLATIONS.
    """

    def when(name, entry):
        return jnp.where(drew[name], entry, 0)

    lean, half = shear(value)
    one = jnp.full_like(lean, ONE)
    right = when('ShearX', half) + when('TranslateX', shift(value, width, interpolation))
    down = when('ShearY', half) + when('TranslateY', shift(value, height, interpolation))
    rows = (one, when('ShearX', lean), one // 2 + right), (when('ShearY', lean), one, one // 2 + down)
    straight = jnp.stack([*rows[0], *rows[1]], axis=-1)
    return jnp.where(drew['Rotate'][:, None], rotation(value, height, width), straight)


def warp(images, matrix, box, fill, *, interpolation='nearest'):
    """Warps by the image's matrix; pixels from outside the image, and those inside the box, are `fill`.

    'nearest' takes the pixel that contains the point. 'bilinear' interpolates the four whose centres surround
    it, with border pixels repeated outwards, and truncates: Pillow's rule, which does not blend with the
    fill.

    Args:
        images: uint8 [N, H, W, C].
        matrix: int32 [N, 6].
        box: int32 [N, 4] = (y0, x0, y1, x1), half-open.
        fill: uint8 [N, C].
        interpolation: one of INTERPOLATIONS.

    Returns:
        uint8 [N, H, W, C].
    """
    _, height, width, _ = images.shape
    y, x = jnp.arange(height)[:, None], jnp.arange(width)
    a, b, c, d, e, f = (matrix[:, k, None, None] for k in range(6))
    y0, x0, y1, x1 = (box[:, k, None, None] for k in range(4))
    across, down = a * x + b * y + c, d * x + e * y + f
    cols, rows = across >> 16, down >> 16
    kept = (cols >= 0) & (cols < width) & (rows >= 0) & (rows < height)
    kept &= (y < y0) | (y >= y1) | (x < x0) | (x >= x1)
    if interpolation == 'bilinear':
        source = _blend(images, across - ONE // 2, down - ONE // 2)
        return jnp.where(kept[..., None], source, fill[:, None, None])
    place = jnp.where(kept, rows * width + cols, -1)
    # A reduction that changes nothing: the CPU compiler fuses anything else into the gather, and would
    # compute the place of a pixel again for each channel.
    place = jnp.stack([place, jnp.full_like(place, -1)]).max(0)[..., None]
    source = _take(images, jnp.maximum(place[..., 0], 0))
    return jnp.where(place >= 0, source, fill[:, None, None])


def _take(images, place):
    """The pixels at `place` = row * W + column, int32 [N, H, W], of uint8 [N, H, W, C]."""
    number, height, width, channels = images.shape
    flat, image = images.reshape(number, height * width, channels), jnp.arange(number)[:, None, None]
    return flat.at[image, place].get(mode='promise_in_bounds')


def _blend(images, across, down):
    """Bilinear interpolation at points between pixel centres, in 1/65536: uint8 [N, H, W, C]."""
    _, height, width, _ = images.shape
    left, right = (jnp.clip((across >> 16) + k, 0, width - 1) for k in (0, 1))
    share_x, share_y = (((place & (ONE - 1)) / ONE)[..., None] for place in (across, down))

    def line(k):
        row = jnp.clip((down >> 16) + k, 0, height - 1) * width
        first, second = (_take(images, row + cols).astype(jnp.float32) for cols in (left, right))
        return first + (second - first) * share_x

    upper = line(0)
    return (upper + (line(1) - upper) * share_y).astype(jnp.uint8)
