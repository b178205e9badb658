"""The law of AugMix: a mean of chains."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment.augmix import augmix


@pytest.mark.slow
def test_augmix_is_half_the_image_and_half_a_chain(key):
    # Of a white image, with weights near 1/2: nothing, black by solarizing, 240 or 224 by posterizing.
    images = jnp.full((4000, 3, 3, 1), 255, jnp.uint8)
    out = np.asarray(jax.jit(functools.partial(augmix, width=1, depth=1, alpha=1e4))(key, images))[:, 1, 1, 0]
    counts = {v: int((abs(out.astype(int) - v) <= 3).sum()) for v in (255, 128, 248, 240)}
    assert sum(counts.values()) == 4000
    deep = 0.5 / 2.9  # of the levels 0.1 to 3, those from 2.5 on
    for value, share in {255: 7 / 9, 128: 1 / 9, 248: (1 - deep) / 9, 240: deep / 9}.items():
        assert abs(counts[value] - 4000 * share) < 6 * (4000 * share) ** 0.5
    # Chains of one, two and three: white stays where none of them solarizes or posterizes.
    out = np.asarray(jax.jit(functools.partial(augmix, width=1, depth=3, alpha=1e4))(key, images))[:, 1, 1, 0]
    share = sum((7 / 9) ** length for length in (1, 2, 3)) / 3
    assert abs((out >= 252).sum() - 4000 * share) < 6 * (4000 * share) ** 0.5
