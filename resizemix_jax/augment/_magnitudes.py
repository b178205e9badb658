"""The meaning of a published magnitude: public code has several readings, and they differ.

A reading is `<name>(op, magnitude, height, width) -> (base, amount, signed)` in plain numbers: the parameter
of `ops.apply` is base + amount, or, if `signed`, base + amount or base - amount with equal chance.
Operations without a parameter get (0, 0, False).
"""

import numpy as np

GEOMETRIC = ('ShearX', 'ShearY', 'TranslateX', 'TranslateY', 'Rotate')
ENHANCE = ('Contrast', 'Color', 'Brightness', 'Sharpness')
NOTHING = (0.0, 0.0, False)


def tf(op, magnitude, height, width):
    """An index 0..9 of 10: the code of AutoAugment and PBA (arcelien/pba, tensorflow/models).

    Shear .03 i, translation i pixels, rotation int(3 i) degrees, all with a random sign; solarize at
    256 - int(25.6 i), posterize to 4 - int(.4 i) bits, factors .1 + .18 i, cutout of int(2 i) pixels.
    """
    i = magnitude
    if op in GEOMETRIC:
        return 0.0, {'S': 0.03 * i, 'T': int(i), 'R': int(3 * i)}[op[0]], True
    if op in ENHANCE:
        return 0.1 + 0.18 * i, 0.0, False
    values = {'Solarize': 256 - int(25.6 * i), 'Posterize': 4 - int(0.4 * i), 'Cutout': int(2 * i)}
    return (values[op], 0.0, False) if op in values else NOTHING


def torchvision(op, magnitude, height, width, *, bins):
    """A bin 0..`bins` - 1 of torchvision's ranges: 10 bins for AutoAugment and 31 for RandAugment.

    With f = magnitude / (bins - 1): shear .3 f, translation int(150/331 side f), rotation 30 f, factors
    1 + .9 f, all with a random sign; solarize at 255 - 255 f, posterize to 8 - round(4 f) bits. The products
    are float32 numbers of torch.linspace, which decide some of the values to the last level.
    """

    def bin_of(start, end):
        return _linspace(start, end, magnitude, bins)

    if op in GEOMETRIC:
        side = width if op.endswith('X') else height
        ends = {'S': 0.3, 'T': 150 / 331 * side, 'R': 30}
        amount = bin_of(0, ends[op[0]])
        return 0.0, int(amount) if op[0] == 'T' else amount, True
    if op in ENHANCE:
        return 1.0, bin_of(0, 0.9), True
    values = {'Solarize': bin_of(255, 0), 'Posterize': 8 - round(4 * magnitude / (bins - 1))}
    return (values[op], 0.0, False) if op in values else NOTHING


def _linspace(start, end, index, count):
    """torch.linspace(start, end, count)[index] as a float: float32, counted from the nearer end."""
    start, end = np.float32(start), np.float32(end)
    step = float((end - start) / np.float32(count - 1))
    # torch rounds product and sum once, together.
    if index < count // 2:
        return float(np.float32(float(start) + step * index))
    return float(np.float32(float(end) - step * (count - 1 - index)))


def level(op, magnitude, height, width):
    """A level 0..1 between two ends: Fast AutoAugment and DADA.

    Shear -.3...3, translation -.45...45 of the side, rotation -30..30, and then a random sign, so that .5 is
    the identity; solarize 0..256, posterize int(4..8) bits, factors .1..1.9, cutout 0...2 of the width, plus
    a pixel, since the rectangle includes its end.
    """
    x = magnitude
    if op in GEOMETRIC:
        side = width if op.endswith('X') else height
        return 0.0, (2 * x - 1) * {'S': 0.3, 'T': 0.45 * side, 'R': 30}[op[0]], True
    if op in ENHANCE:
        return 0.1 + 1.8 * x, 0.0, False
    cutout = int(0.2 * x * width) + 1 if x > 0 else 0
    values = {'Solarize': 256 * x, 'Posterize': int(4 + 4 * x), 'Cutout': cutout}
    return (values[op], 0.0, False) if op in values else NOTHING


def tpu(op, magnitude, height, width, *, translate=100, cutout=40):
    """A level of 10, not capped at 10: the EfficientNet code (tensorflow/tpu), and big_vision's.

    Shear .03 l, translation `translate` / 10 l pixels, rotation 3 l, with a random sign; solarize at
    int(25.6 l) and posterize to int(.4 l) bits, both in the opposite direction of the others; add
    int(11 l) below 128; factors .1 + .18 l; cutout of int(l / 10 `cutout`) pixels to each side.
    """
    x = magnitude
    if op in GEOMETRIC:
        return 0.0, {'S': 0.03, 'T': translate / 10, 'R': 3}[op[0]] * x, True
    if op in ENHANCE:
        return 0.1 + 0.18 * x, 0.0, False
    values = {
        'Solarize': min(int(25.6 * x), 256),
        'SolarizeAdd': int(11 * x),
        'Posterize': min(int(0.4 * x), 8),
        'Cutout': 2 * int(x / 10 * cutout),
    }
    return (values[op], 0.0, False) if op in values else NOTHING


def ildoonet(op, magnitude, height, width):
    """M of 30, a share of the EfficientNet code's ranges: ildoonet/pytorch-randaugment.

    Shear .3 f, translation 100 f pixels, rotation 30 f with f = M / 30 and a random sign; solarize at 256 f,
    posterize to int(4 f) bits, but at least 1; factors .1 + 1.8 f. SolarizeAdd adds int(110 f), and Cutout
    takes 40 f, which is int(40 f) + 1 pixels: both have laws of their own, variant='ildoonet' of `ops.apply`.
    """
    f = magnitude / 30
    if op in GEOMETRIC:
        return 0.0, {'S': 0.3, 'T': 100, 'R': 30}[op[0]] * f, True
    if op in ENHANCE:
        return 0.1 + 1.8 * f, 0.0, False
    values = {
        'Solarize': 256 * f, 'SolarizeAdd': int(110 * f), 'Posterize': max(1, int(4 * f)), 'Cutout': 40 * f,
    }  # fmt: skip
    return (values[op], 0.0, False) if op in values else NOTHING
