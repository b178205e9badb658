"""The reference, Pillow, and the inputs of both: images, and the values of every operation."""

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

FACTORS = np.concatenate([np.linspace(0, 2, 41), 0.1 + 0.18 * np.arange(11), [-0.5, 0.7, 1.27, 3]])
SHEARS = np.concatenate([np.linspace(-0.3, 0.3, 61), 0.3 * np.arange(10) / 9, [1, -1]])
SHIFTS = np.concatenate([np.arange(-34, 35), np.linspace(-16, 16, 49), [-65536, 65536]])
ANGLES = np.concatenate([np.arange(-60, 61), 30 * np.arange(10) / 9, [0.001, 90, 180, 270, -90, 359.5, 725]])
VALUES = {
    **dict.fromkeys(('Identity', 'AutoContrast', 'Invert', 'Equalize'), np.zeros(1)),
    **dict.fromkeys(('ShearX', 'ShearY'), SHEARS),
    **dict.fromkeys(('TranslateX', 'TranslateY'), SHIFTS),
    **dict.fromkeys(('Contrast', 'Color', 'Brightness', 'Sharpness'), FACTORS),
    'Rotate': ANGLES,
    'Solarize': np.concatenate([np.linspace(0, 256, 33), 25.6 * np.arange(10), [256 * 0.7]]),
    'SolarizeAdd': np.concatenate([np.arange(0, 111, 11), [-20, 12.7, 300]]),
    'Add': np.concatenate([np.arange(-255, 256, 17), [-0.9, 25.5]]),
    'Posterize': np.arange(9),
    'Cutout': np.arange(40),
}


def photograph(height, width, channels, seed=0):
    """Smooth light, edges of objects, and noise: what a camera would give, from nothing but a seed."""
    random = np.random.default_rng(seed)
    y, x, c = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j, 0:channels]
    scene = 90 + 60 * np.sin(3 * y + c) + 50 * np.cos(5 * x * (1 + y) - c)
    scene = np.where((x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.06, 250 - 40 * c * y, scene)
    scene = np.where((abs(x - 0.2) < 0.1) & (y > 0.3), 15 + 20 * c, scene)
    return np.clip(scene + random.normal(0, 6, scene.shape), 0, 255).astype(np.uint8)


def images(height, width, channels):
    """Photographs and the edge cases: constant, two values, all values in order, few dark values, noise."""
    shape = height, width, channels
    random = np.random.default_rng(1)
    ramp = np.resize(np.arange(256), height * width * channels).reshape(shape)
    return np.stack(
        [
            photograph(*shape),
            photograph(*shape, seed=1) // 2 + 40,
            np.full(shape, 77),
            np.where(ramp % 3 == 0, 30, 201),
            ramp,
            random.integers(100, 107, shape),
            random.integers(0, 256, shape),
        ]
    ).astype(np.uint8)


def pillow(image, name, value, fill=0, centre=None, resample=Image.Resampling.NEAREST):
    """The reference for one image, uint8 [H, W, C]."""
    height, width, channels = image.shape
    made = Image.fromarray(image[..., 0] if channels == 1 else image)
    value = float(value)

    def affine_of(*matrix):
        return made.transform(made.size, Image.Transform.AFFINE, matrix, resample, fillcolor=fill)

    def solarize_add():
        brighter = np.clip(image.astype(int) + int(value), 0, 255)
        return np.where(image < 128, brighter, image).astype(np.uint8)

    def cutout():
        y, x = (height // 2, width // 2) if centre is None else centre
        y0, x0, side = y - int(value) // 2, x - int(value) // 2, int(value)
        out = image.copy()
        out[max(y0, 0) : max(y0 + side, 0), max(x0, 0) : max(x0 + side, 0)] = fill
        return out

    function = {
        'Identity': lambda: made,
        'ShearX': lambda: affine_of(1, value, 0, 0, 1, 0),
        'ShearY': lambda: affine_of(1, 0, 0, value, 1, 0),
        'TranslateX': lambda: affine_of(1, 0, value, 0, 1, 0),
        'TranslateY': lambda: affine_of(1, 0, 0, 0, 1, value),
        'Rotate': lambda: made.rotate(value, resample, fillcolor=fill),
        'AutoContrast': lambda: ImageOps.autocontrast(made),
        'Invert': lambda: ImageOps.invert(made),
        'Equalize': lambda: ImageOps.equalize(made),
        'Solarize': lambda: ImageOps.solarize(made, value),
        'SolarizeAdd': solarize_add,
        'Add': lambda: np.clip(image.astype(int) + int(value), 0, 255).astype(np.uint8),
        'Posterize': lambda: ImageOps.posterize(made, int(value)) if value else np.zeros_like(image),
        'Cutout': cutout,
    }
    enhancer = getattr(ImageEnhance, name, None)
    out = enhancer(made).enhance(value) if enhancer else function[name]()
    return np.asarray(out).reshape(image.shape)


def check(out, expected, names, values):
    difference = np.abs(np.asarray(out).astype(int) - np.stack(expected)).max((1, 2, 3))
    wrong = {f'{n} {v}: {d}' for n, v, d in zip(names, values, difference, strict=True) if d}
    assert not wrong
