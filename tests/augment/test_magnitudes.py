"""How an index or a level becomes an operation's value, in every published reading."""

import pytest

from resizemix_jax.augment import _magnitudes as magnitudes
from resizemix_jax.augment.randaugment import released


@pytest.mark.parametrize(
    ('op', 'index', 'tf', 'torchvision'),
    [
        ('ShearY', 8, (0, 0.24, True), (0, 0.26667, True)),
        ('Rotate', 2, (0, 6, True), (0, 6.66667, True)),
        ('TranslateX', 9, (0, 9, True), (0, 14, True)),
        ('Solarize', 5, (128, 0, False), (113.3333, 0, False)),
        ('Posterize', 7, (2, 0, False), (5, 0, False)),
        ('Color', 7, (1.36, 0, False), (1, 0.7, True)),
        ('Equalize', 3, (0, 0, False), (0, 0, False)),
    ],
)
def test_the_two_readings_of_an_index(op, index, tf, torchvision):
    assert magnitudes.tf(op, index, 32, 32) == pytest.approx(tf)
    assert magnitudes.torchvision(op, index, 32, 32, bins=10) == pytest.approx(torchvision, rel=1e-4)


def test_torchvision_s_bins_are_those_of_torch():
    """Numbers of torch.linspace, torch 2.14: 0 to .9 in 10 and 31 bins, 255 to 0, and 150 / 331 of 37."""
    for bins, index, value in (
        (10, 1, 0.09999999403953552), (10, 6, 0.6000000238418579), (10, 8, 0.7999999523162842),
        (31, 9, 0.26999998092651367), (31, 20, 0.5999999642372131), (31, 25, 0.75),
    ):  # fmt: skip
        assert magnitudes.torchvision('Brightness', index, 32, 32, bins=bins) == (1.0, value, True)
    for index, value in ((7, 195.5), (9, 178.5), (20, 85.0)):
        assert magnitudes.torchvision('Solarize', index, 32, 32, bins=31)[0] == value
    assert magnitudes._linspace(0, 150 / 331 * 37, 19, 31) == 10.619336128234863


def test_the_other_readings():
    assert magnitudes.level('Rotate', 0.5, 32, 32) == (0, 0, True)  # the middle is the identity
    assert magnitudes.level('TranslateX', 1.0, 40, 20)[1] == pytest.approx(9)  # of the width
    assert magnitudes.level('TranslateY', 0.0, 40, 20)[1] == pytest.approx(-18)
    assert magnitudes.level('Posterize', 0.8, 32, 32)[0] == 7
    assert magnitudes.tpu('Rotate', 17, 32, 32)[1] == 51  # not cut at 10
    assert magnitudes.tpu('Solarize', 9, 32, 32)[0] == 230 and magnitudes.tf('Solarize', 9, 32, 32)[0] == 26
    assert magnitudes.tpu('Posterize', 2, 32, 32)[0] == 0  # black
    assert magnitudes.tpu('Cutout', 9, 32, 32)[0] == 2 * 36
    assert magnitudes.ildoonet('Color', 14, 32, 32)[0] == pytest.approx(0.94)
    assert magnitudes.ildoonet('SolarizeAdd', 15, 32, 32)[0] == 55
    assert [magnitudes.ildoonet('Posterize', m, 32, 32)[0] for m in (0, 5, 9, 15, 30)] == [1, 1, 1, 2, 4]
    assert magnitudes.ildoonet('Cutout', 14, 32, 32)[0] == pytest.approx(18.667, rel=1e-4)
    assert released('Contrast', 14, 32, 32)[0] == pytest.approx(0.94)
    assert released('Posterize', 14, 32, 32) == (6.5, 1.5, True)  # 5 to 8
    assert released('Posterize', 30, 32, 32) == (8, 0, True)
    assert released('TranslateX', 14, 32, 30)[1] == pytest.approx(0.2333 * 30, rel=1e-3)
    assert released('ShearX', 14, 32, 32)[0] == pytest.approx(0.00407, rel=1e-2)
