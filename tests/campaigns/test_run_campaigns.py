"""The campaigns against a run's files, at their smallest."""

import pytest

from tests.campaigns import damaged_workdirs, flipped_bits


@pytest.mark.slow
def test_flipped_bits():
    counts = flipped_bits.campaign(6, seed=0)
    assert counts.total() == 6 and counts['refused'] >= 2 and counts.keys() <= {'refused', 'harmless'}


@pytest.mark.slow
def test_damaged_workdirs():
    counts = damaged_workdirs.campaign(6, seed=0)
    assert counts.total() == 6 and counts.keys() <= {'refused', 'right', 'said'}
