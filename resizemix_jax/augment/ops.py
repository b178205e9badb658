"""The image operations of the AutoAugment family, on a batch of which every image draws its own."""

import jax.numpy as jnp
from jax import lax

from resizemix_jax.augment import affine, enhance, tables

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
    'Posterize',
    'Contrast',
    'Color',
    'Brightness',
    'Sharpness',
    'Cutout',
)
WARPS = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate', 'Cutout')
TABLES = (
    'AutoContrast',
    'Invert',
    'Equalize',
    'Solarize',
    'SolarizeAdd',
    'Posterize',
    'Contrast',
    'Brightness',
)

PARTS = 16


def apply(images, op, value, centre=None, *, fill=0, cutout_fill=0):
    batch, height, width, channels = images.shape
    drew = {name: op == index for index, name in enumerate(OPS)}

    def any_of(names):
        return jnp.stack([drew[name] for name in names]).any(0)

    if centre is None:
        centre = jnp.broadcast_to(jnp.array([height // 2, width // 2], jnp.int32), (batch, 2))
    matrix = _matrix(drew, value, height, width)
    box, colour = _cutout(drew, value, centre, fill, cutout_fill, channels)
    images = _among(any_of(WARPS), affine.warp, images, matrix, box, colour)

    table = _tables(drew, value, channels)
    table = _among(drew['Contrast'], lambda _, *args: tables.contrast(*args), table, images, value)
    table = _among(drew['AutoContrast'], lambda _, x: tables.autocontrast(x), table, images)
    table = _among(drew['Equalize'], lambda _, x: tables.equalize(x), table, images)
    images = _among(any_of(TABLES), tables.lookup, images, table)
    if channels == 3:
        images = _among(drew['Color'], enhance.color, images, value)
    return _among(drew['Sharpness'], enhance.sharpness, images, value)


def _among(member, function, out, *args):
    batch = member.shape[0]
    size = -(-batch // PARTS)
    rows = jnp.nonzero(member, size=-(-batch // size) * size, fill_value=batch)[0]

    def block(k, out):
        at = lax.dynamic_slice(rows, (k * size,), (size,))
        chosen = (a.at[at].get(mode='clip') for a in (out, *args))
        return out.at[at].set(function(*chosen), mode='drop')

    return lax.fori_loop(0, (member.sum() + size - 1) // size, block, out)


def _matrix(drew, value, height, width):
    one, zero = jnp.full(value.shape, affine.ONE), jnp.zeros(value.shape, jnp.int32)
    lean, half = affine.shear(value)
    right, down = affine.shift(value, width), affine.shift(value, height)
    
    def when(name, entry):
        return jnp.where(drew[name], entry, 0)
    
    straight = jnp.stack(
        [one, when('ShearX', lean), affine.ONE // 2 + when('ShearX', half) + when('TranslateX', right),
        when('ShearY', lean), one, affine.ONE // 2 + when('ShearY', half) + when('TranslateY', down)], -1)
    return jnp.where(drew['Rotate'][:, None], affine.rotation(value, height, width), straight)


def _cutout(drew, value, centre, fill, cutout_fill, channels):
    side = jnp.where(drew['Cutout'], value, 0).astype(jnp.int32)[:, None]
    begin = centre - side // 2
    box = jnp.concatenate([begin, begin + side], -1)
    fill, cutout_fill = (jnp.broadcast_to(jnp.asarray(c, jnp.uint8), (channels,)) for c in (fill, cutout_fill))
    return box, jnp.where(drew['Cutout'][:, None], cutout_fill, fill)


def _tables(drew, value, channels):
    made = {
        'Invert': tables.invert(),
        'Solarize': tables.solarize(value),
        'SolarizeAdd': tables.solarize_add(value),
        'Posterize': tables.posterize(value),
        'Brightness': tables.brightness(value),
    }
    table = jnp.broadcast_to(tables.LEVELS, (value.shape[0], 256))
    for name, levels in made.items():
        table = jnp.where(drew[name][:, None], levels, table)
    return jnp.broadcast_to(table.astype(jnp.uint8)[:, None], (value.shape[0], channels, 256))
