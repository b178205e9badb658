"""The tables of values: AutoContrast's, every one that there can be."""

import jax
import numpy as np
import pytest

from resizemix_jax.augment import _tables as tables
from tests.augment.pillow import check, pillow


@pytest.mark.slow
def test_every_range_of_autocontrast():
    # One image for each range low..high of values: its levels are what the table is made of.
    low, high = np.triu_indices(256, 1)
    ramp = np.clip(np.arange(256), low[:, None], high[:, None])[:, None, :, None].astype(np.uint8)
    tabled = np.asarray(jax.jit(tables.autocontrast)(ramp))[:, 0]
    out = np.take_along_axis(tabled, ramp[:, 0, :, 0], 1)
    scale = 255.0 / (high - low)[:, None]  # Python's doubles, as ImageOps has them
    expected = (ramp[:, 0, :, 0] * scale + -low[:, None] * scale).astype(int)
    np.testing.assert_array_equal(out, expected)
    assert (out.max(1) == 254).any()
    for k in range(0, len(low), 997):
        check(out[k, None, None, :, None], [pillow(ramp[k], 'AutoContrast', 0)], ['range'], [k])
