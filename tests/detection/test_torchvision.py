"""The kernels give what torchvision's give, recorded in detection.npz by tests.reference.make_detection."""

import numpy as np
import pytest

from tests.reference import detection_cases as cases
from tests.reference.make_detection import FILE, TORCHVISION


@pytest.fixture(scope='module')
def recorded():
    with np.load(FILE) as stored:
        return {key: stored[key] for key in stored}


@pytest.mark.parametrize('name', cases.CASES)
def test_a_kernel_gives_what_torchvision_gives(name, recorded):
    expected = {key.removeprefix(f'{name}/'): recorded[key] for key in recorded if key.startswith(f'{name}/')}
    found = cases.results(name, cases.inputs(name))
    assert {*expected} == {*found}
    for key, value in expected.items():
        assert value.shape == found[key].shape
        difference, limit = cases.apart(name, key, value, found[key])
        assert difference <= limit, key


def test_every_case_is_recorded(recorded):
    assert {key.partition('/')[0] for key in recorded} == {*cases.CASES} == {*TORCHVISION}
