"""What tests say of two lists of batches."""

import numpy as np


def assert_same(batches, expected):
    for one, two in zip(batches, expected, strict=True):
        assert one.keys() == two.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
            assert one[name].dtype == two[name].dtype


def joined(shares):
    """The batches of all shares of the processes, put together."""
    return [
        {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
        for batches in zip(*shares, strict=True)
    ]
