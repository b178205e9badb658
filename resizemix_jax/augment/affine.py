"""Affine warps with the nearest pixel, in the integers that Pillow computes with: 16 bits after the point.

The source of output pixel (x, y) is column (a x + b y + c) >> 16 and row (d x + e y + f) >> 16, where c and f
already hold the half pixel to the centre. A matrix is int32 [..., 6] = (a, b, c, d, e, f).
"""

import jax.numpy as jnp
import numpy as np

ONE = 1 << 16
STEPS = 64  # entries a degree of the table of sines: 276 KB


def fixed(value):
    """floor(65536 value + 1/2) as int32, exactly: the product is exact in float32, the sum would not be."""
    scaled = value * ONE
    whole = jnp.floor(scaled)
    return whole.astype(jnp.int32) + (scaled - whole >= 0.5)


def shear(factor):
    """The two entries that `x + factor y`, at pixel centres, adds to the identity: of y, and constant."""
    return fixed(factor), fixed(factor / 2)


def shift(pixels, side):
    """`x + pixels` as a constant: whole pixels, a half rounded up; beyond `side` everything is outside."""
    whole = jnp.floor(pixels)
    whole += pixels - whole >= 0.5
    return jnp.clip(whole, -side, side).astype(jnp.int32) * ONE


def rotation(degrees, height, width):
    """The matrix of a rotation by `degrees`, counter-clockwise, about the centre of the image.

    Pillow computes it in double precision, and 1/65536 decides where a pixel goes. Here a sine is an integer,
    in 1/65536, and a float32 remainder: from a table at the nearest 1/64 degree, and turned by the rest of
    the angle, which is so small that float32 is precise enough.
    """
    cos, cos_rest = _sine(degrees, 90)
    sin, sin_rest = _sine(degrees, 0)

    def constant(cos, cos_rest, sin, sin_rest, side, other):
        # Twice (cos (1 - side) + sin (1 - other) + side) / 2: halving comes last, with the rounding.
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


def _sine(degrees, ahead):
    """65536 sin(degrees + ahead): an int32 part and a float32 remainder. `ahead` is a whole number."""
    angle = np.arange(360 * STEPS) / STEPS
    exact = np.round(np.sin(np.radians(angle)), 15) * ONE  # rounded as in Pillow: sin 180 is 0
    whole = np.rint(exact)
    nearest = jnp.round(degrees * STEPS)
    rest = (degrees - nearest / STEPS) * np.float32(np.pi / 180)
    at = (nearest.astype(jnp.int32) + ahead * STEPS) % len(exact)
    quarter = (at + 90 * STEPS) % len(exact)  # where the cosine is
    sin = jnp.asarray(exact, jnp.float32)
    turned = sin[quarter] * rest - sin[at] * (rest * rest / 2)
    return jnp.asarray(whole, jnp.int32)[at], jnp.asarray(exact - whole, jnp.float32)[at] + turned


def warp(images, matrix, box, fill):
    """Every pixel from where the image's matrix says; from outside the image and inside the box, `fill`.

    Args:
        images: uint8 [N, H, W, C].
        matrix: int32 [N, 6].
        box: int32 [N, 4] = (y0, x0, y1, x1), half-open.
        fill: uint8 [N, C].

    Returns:
        uint8 [N, H, W, C].
    """
    number, height, width, channels = images.shape
    y, x = jnp.arange(height)[:, None], jnp.arange(width)
    a, b, c, d, e, f = (matrix[:, k, None, None] for k in range(6))
    y0, x0, y1, x1 = (box[:, k, None, None] for k in range(4))
    cols, rows = (a * x + b * y + c) >> 16, (d * x + e * y + f) >> 16
    kept = (cols >= 0) & (cols < width) & (rows >= 0) & (rows < height)
    kept &= (y < y0) | (y >= y1) | (x < x0) | (x >= x1)
    place = jnp.where(kept, rows * width + cols, -1)
    # A reduction that changes nothing: the CPU compiler fuses anything else into the gather, and would work
    # out the place of a pixel again for each of its channels.
    place = jnp.stack([place, jnp.full_like(place, -1)]).max(0)[..., None]
    flat, image = images.reshape(number, height * width, channels), jnp.arange(number)[:, None, None]
    source = flat.at[image, jnp.maximum(place[..., 0], 0)].get(mode='promise_in_bounds')
    return jnp.where(place >= 0, source, fill[:, None, None])
