"""The meaning of a published magnitude: public code has several readings, and they differ.

A reading is `<name>(op, magnitude, height, width) -> (base, amount, signed)` in plain numbers: the parameter
of `ops.apply` is base + amount, or, if `signed`, base + amount or base - amount with equal chance.
Operations without a parameter get (0, 0, False).
"""

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


def torchvision(op, magnitude, height, width):
    """A share 0..1 of the range: torchvision's bins, i / 9 for AutoAugment and M / 30 for RandAugment.

    Shear .3 f, translation int(150/331 side f), rotation 30 f, factors 1 + .9 f, all with a random sign;
    solarize at 255 - 255 f, posterize to 8 - round(4 f) bits.
    """
    f = magnitude
    if op in GEOMETRIC:
        side = width if op.endswith('X') else height
        return 0.0, {'S': 0.3 * f, 'T': int(150 / 331 * side * f), 'R': 30 * f}[op[0]], True
    if op in ENHANCE:
        return 1.0, 0.9 * f, True
    values = {'Solarize': 255 - 255 * f, 'Posterize': 8 - round(4 * f)}
    return (values[op], 0.0, False) if op in values else NOTHING


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
    posterize to int(4 f) bits, factors .1 + 1.8 f, cutout of int(40 f) + 1 pixels, add int(110 f).
    """
    f = magnitude / 30
    if op in GEOMETRIC:
        return 0.0, {'S': 0.3, 'T': 100, 'R': 30}[op[0]] * f, True
    if op in ENHANCE:
        return 0.1 + 1.8 * f, 0.0, False
    values = {
        'Solarize': 256 * f, 'SolarizeAdd': int(110 * f), 'Posterize': int(4 * f), 'Cutout': int(40 * f) + 1,
    }  # fmt: skip
    return (values[op], 0.0, False) if op in values else NOTHING
