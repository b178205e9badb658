"""The image operations of the AutoAugment family, for a batch in which every image draws its own.

`_policy` and `_magnitudes` turn policies and magnitudes into operations and parameters.
"""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax

from resizemix_jax.augment import _affine as affine
from resizemix_jax.augment import _enhance as enhance
from resizemix_jax.augment import _tables as tables
from resizemix_jax.augment._images import check_images
from resizemix_jax.ranges import Choice, Number, Several

# `apply` takes the index of a name.
OPS = (
    'Identity',
    'ShearX',
    'ShearY',
    'TranslateX',
    'TranslateY',
    'Rotate',
    'AutoContrast',
    'Invert',
    'Equalize',
    'Solarize',
    'SolarizeAdd',
    'Add',
    'Posterize',
    'Contrast',
    'Color',
    'Brightness',
    'Sharpness',
    'Cutout',
)
WARPS = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate', 'Cutout')
TABLES = (
    *('AutoContrast', 'Invert', 'Equalize', 'Solarize', 'SolarizeAdd', 'Add'),
    *('Posterize', 'Contrast', 'Brightness'),
)
VARIANTS = ('pillow', 'tpu', 'ildoonet')
# Images are processed in blocks of 1 / PARTS of the batch: large enough to use the cores, small enough that
# little computation is wasted. On a 2-core CPU, 8 is slower and 32 is not faster.
PARTS = 16


def apply(
    images, op, value, centre=None, *, fill=0, cutout_fill=0, interpolation='nearest', variant='pillow'
):
    """Applies one operation to every image, which may differ between images.

    Law, for an image with operation `OPS[op]` and parameter v:
        ShearX, ShearY    output (x, y) is input (x + v y, y), or (x, y + v x); about the top-left corner.
        TranslateX, -Y    output (x, y) is input (x + v, y), or (x, y + v); v in pixels, so a positive v moves
                          the image to the left, or up.
        Rotate            by v degrees, counter-clockwise, about the centre.
        AutoContrast      each channel stretched to 0..255.
        Equalize          each channel's histogram flattened.
        Invert            255 - value.
        Solarize          255 - value for values >= v, a threshold.
        SolarizeAdd       value + trunc(v), clipped to 0..255, for values < 128; Add, for all values.
        Posterize         the upper trunc(v) bits of the eight kept.
        Contrast, Color, Brightness, Sharpness
                          degenerate + v (image - degenerate): from the gray mean, the gray image (one channel
                          is gray already), black, the smooth image.
        Cutout            a square of side = trunc(v) pixels, clipped at the border: for `centre` (y, x), rows
                          y - side // 2 to y - side // 2 + side - 1, and columns likewise.
        Identity, and an index outside OPS: nothing.
    `variant` changes some of them to the forms of other code:
        tpu       the EfficientNet code (tensorflow/tpu, big_vision). Contrast: the gray mean is replaced by
                  min(H W // 256, 255), since that code divides the sum of the histogram's counts, and not of
                  the values, by 256: 4 at 32 x 32, 196 at 224 x 224. Sharpness: the smooth image is
                  truncated, not rounded.
        ildoonet  ildoonet/pytorch-randaugment. SolarizeAdd: trunc(v) is added to all values, the sums are
                  clipped, and values >= 128 are then inverted. Cutout: for a real `centre` c on an axis,
                  pixels from b = floor(max(0, c - v / 2)) to b + trunc(v), both included. So the square is
                  moved inside at the top and left and cut at the bottom and right.
    The warps interpolate as `affine.warp` says and fill pixels from outside the image with `fill`.

    Source: Pillow 13.0 on x86-64 (Image.transform, Image.rotate, ImageOps, ImageEnhance), bit-exact at every
    parameter (tested), except some angles of Rotate. Multiples of 1/64 degree and the
    published magnitudes (whole degrees, 30 i / 9) are exact; of random angles, one in 19000 at 224 pixels and
    one in 95000 at 32 has an entry of its matrix off by 1/65536, which mostly moves no pixel or one (at most
    seven were observed). Bilinear warps occasionally differ from Pillow's doubles by 1, and at the
    border by whether a point is inside. SolarizeAdd, Add and Cutout are not Pillow's. TensorFlow's smooth
    image is a float32 sum, which falls below some whole numbers, so that 'tpu' may be one above it there.

    Cost: warps, tables and blends are a pass each over the images that drew one, in blocks; histogram, mean
    and smoothing are computed for the images that need them. Other draws do not recompile.

    Args:
        images: uint8 [B, H, W, C], C 1 or 3; sides below 8192, and at most 4 million pixels.
        op: int32 [B], indices into OPS.
        value: float32 [B], v; ignored by operations without a parameter. A shear below 32768 / side - 1 in
            size.
        centre: (y, x) for Cutout, by default the middle of the image: int32 [B, 2], a pixel; with
            variant='ildoonet' float32 [B, 2], a point.
        fill, cutout_fill: a value, or one for each channel; 0..255.
        interpolation: of the warps, one of `affine.INTERPOLATIONS`.
        variant: one of VARIANTS.

    Returns:
        uint8 [B, H, W, C].

    Raises:
        ValueError: an argument has another shape or dtype, or a fill is outside 0..255.
    """
    Choice(*affine.INTERPOLATIONS).check(interpolation=interpolation)
    Choice(*VARIANTS).check(variant=variant)
    images, op, value, centre = _checked(images, op, value, centre, variant)
    _, height, width, channels = images.shape
    drew = {name: op == index for index, name in enumerate(OPS)}

    matrix = affine.matrix(drew, value, height, width, interpolation)
    box = _square(drew, value, centre, variant)
    colours = _colour('fill', fill, channels), _colour('cutout_fill', cutout_fill, channels)
    colour = jnp.where(drew['Cutout'][:, None], colours[1], colours[0])
    warp = functools.partial(affine.warp, interpolation=interpolation)
    images = _apply_to_members(_any(drew, WARPS), warp, images, matrix, box, colour)

    table = jnp.repeat(_tables(drew, value, height * width, variant)[:, None], channels, axis=1)
    table = _apply_to_members(
        drew['AutoContrast'], lambda _, image: tables.autocontrast(image), table, images
    )
    table = _apply_to_members(drew['Equalize'], lambda _, image: tables.equalize(image), table, images)
    if variant != 'tpu':
        table = _apply_to_members(
            drew['Contrast'], lambda _, *args: tables.contrast(*args), table, images, value
        )
    images = _apply_to_members(_any(drew, TABLES), tables.lookup, images, table)

    if channels == 3:
        images = _apply_to_members(drew['Color'], enhance.color, images, value)
    sharpness = functools.partial(enhance.sharpness, truncate=variant == 'tpu')
    return _apply_to_members(drew['Sharpness'], sharpness, images, value)


def _checked(images, op, value, centre, variant):
    """The arguments as JAX arrays, or ValueError."""
    images, op, value = check_images(images), jnp.asarray(op), jnp.asarray(value)
    batch, height, width, channels = images.shape
    if channels not in (1, 3):
        raise ValueError(f'images have {channels} channels; these operations take gray (1) or colour (3)')
    point = jnp.float32 if variant == 'ildoonet' else jnp.int32
    if centre is None:
        centre = np.tile(np.array([height // 2, width // 2], point), (batch, 1))
    centre = jnp.asarray(centre)
    for name, array, dtype, shape in (
        ('op', op, jnp.int32, (batch,)),
        ('value', value, jnp.float32, (batch,)),
        ('centre', centre, point, (batch, 2)),
    ):
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(
                f'{name} is {array.dtype} {array.shape} and must be {jnp.dtype(dtype)} {shape}: '
                'one for each image'
            )
    return images, op, value, centre


def _colour(name, value, channels):
    """`value` as uint8 [C]."""
    byte = Number(0, 255)
    if not byte.has(value) and not Several(byte, channels).has(value):
        raise ValueError(
            f'{name}={value!r} must be one value in 0..255, or one for each of {channels} channels'
        )
    return np.broadcast_to(np.asarray(value).astype(np.uint8), (channels,))


def _any(drew, names):
    return jnp.stack([drew[name] for name in names]).any(0)


def _apply_to_members(member, function, out, *args):
    """`out` with the rows of members replaced by `function(rows of out, *rows of args)`.

    The members' rows are listed, and a loop processes them in blocks. The last rows of the last block may be
    padding: they read the last image, and are not written.
    """
    batch = member.shape[0]
    size = -(-batch // PARTS)
    rows = jnp.nonzero(member, size=-(-batch // size) * size, fill_value=batch)[0]

    def block(k, out):
        at = lax.dynamic_slice(rows, (k * size,), (size,))
        chosen = (array.at[at].get(mode='clip') for array in (out, *args))
        return out.at[at].set(function(*chosen), mode='drop')

    return lax.fori_loop(0, (member.sum() + size - 1) // size, block, out)


def _square(drew, value, centre, variant):
    """Cutout's box, int32 [B, 4]; empty for other operations."""
    value, drew = value[:, None], drew['Cutout'][:, None]
    side = jnp.where(drew, value, 0).astype(jnp.int32)
    begin = centre - side // 2
    if variant == 'ildoonet':
        side += drew
        begin = jnp.floor(jnp.maximum(centre - value / 2, 0)).astype(jnp.int32)
    return jnp.concatenate([begin, begin + side], axis=-1)


def _tables(drew, value, pixels, variant):
    """The lookup table of every image whose operation ignores the image's content, uint8 [B, 256]."""
    made = {
        'Invert': tables.invert(),
        'Solarize': tables.solarize(value),
        'SolarizeAdd': tables.solarize_add(value),
        'Add': tables.add(value),
        'Posterize': tables.posterize(value),
        'Brightness': tables.brightness(value),
    }
    if variant == 'tpu':
        made['Contrast'] = tables.from_level(min(pixels // 256, 255), value)
    if variant == 'ildoonet':
        made['SolarizeAdd'] = tables.add_solarize(value)
    table = tables.LEVELS
    for name, levels in made.items():
        table = jnp.where(drew[name][:, None], levels, table)
    return table.astype(jnp.uint8)
