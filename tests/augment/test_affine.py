"""The matrices of the warps."""

import jax
import numpy as np
import pytest

from resizemix_jax.augment import _affine as affine


@pytest.mark.slow
def test_matrix_of_a_rotation_equals_pillow():
    def exact(degrees, height, width):
        turn = -np.radians(degrees.astype(np.float64) % 360)
        a, b, d = (np.round(v, 15) for v in (np.cos(turn), np.sin(turn), -np.sin(turn)))
        c = a * -width / 2 + b * -height / 2 + width / 2
        f = d * -width / 2 + a * -height / 2 + height / 2
        rows = (a, b, c + a / 2 + b / 2), (d, a, f + d / 2 + a / 2)
        return np.floor(np.stack([*rows[0], *rows[1]], -1) * 65536 + 0.5).astype(np.int64)

    rotation = jax.jit(affine.rotation, static_argnums=(1, 2))
    grid = (np.arange(-180 * 64, 180 * 64 + 1) / 64).astype(np.float32)
    rest = np.random.default_rng(0).uniform(-60, 60, 200_000).astype(np.float32)
    for height, width in ((32, 32), (31, 47), (224, 224)):
        np.testing.assert_array_equal(rotation(grid, height, width), exact(grid, height, width))
        off = np.abs(np.asarray(rotation(rest, height, width)) - exact(rest, height, width)).max(1)
        assert off.max() <= 1
        assert off.sum() < 40  # of 200000; about 10 were seen
