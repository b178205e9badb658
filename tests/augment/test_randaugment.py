"""The law of RandAugment: its spaces, and what the authors' code does otherwise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.augment import _ops as ops
from resizemix_jax.augment import _policy as policies
from resizemix_jax.augment.randaugment import SCALES, randaugment
from tests.augment.pillow import images


@pytest.mark.slow
def test_the_released_translation_moves_both_axes():
    image = np.zeros((1, 20, 20, 1), np.uint8)
    image[0, 10, 10] = 9
    images = jnp.broadcast_to(image, (4, 20, 20, 1))
    function = jax.jit(
        functools.partial(randaugment, n=1, m=14, scale='released', per='batch', interpolation='nearest')
    )
    moved = set()
    for seed in range(150):
        _, ys, xs, _ = np.nonzero(np.asarray(function(jax.random.key(seed), images)) == 9)
        if len(ys) == 4 and (ys[0], xs[0]) != (10, 10):
            assert len({*zip(ys.tolist(), xs.tolist(), strict=True)}) == 1  # one draw for the batch
            moved.add((int(ys[0]) != 10, int(xs[0]) != 10))
            assert abs(ys[0] - 10) <= 5 and abs(xs[0] - 10) <= 5
    assert {(True, True), (True, False)} <= moved  # TranslateX and TranslateY


@pytest.mark.slow
def test_the_released_solarizing_adds_first(key):
    images = jnp.full((4000, 2, 2, 1), 100, jnp.uint8)
    function = functools.partial(randaugment, n=1, m=14, scale='released', interpolation='nearest', fill=100)
    out = np.asarray(jax.jit(function)(key, images))[:, 0, 0, 0].astype(int)
    # Of a grey image only 100, the brightness 94, the 5 bits of 96 and the inverse come from others.
    solarized = out[~np.isin(out, (100, 94, 96, 155))]
    assert abs(len(solarized) - 4000 / 14) < 6 * (4000 / 14) ** 0.5
    kept, inverted = solarized[solarized < 128], 255 - solarized[solarized >= 128]
    assert len(kept) > 80 and len(inverted) > 80
    for added in (kept - 100, inverted - 100):
        assert added.min() >= -25 and added.max() <= 25 and added.min() < -15 and added.max() > 15


@pytest.mark.slow
def test_the_released_posterizing_draws_its_bits(key):
    images = jnp.full((6000, 2, 2, 1), 255, jnp.uint8)
    out = np.asarray(jax.jit(functools.partial(randaugment, n=1, m=14, scale='released'))(key, images))
    for bits in (5, 6, 7):
        count = (out[:, 0, 0, 0] == 256 - 2 ** (8 - bits)).sum()
        assert abs(count - 6000 / 14 / 3) < 6 * (6000 / 14 / 3) ** 0.5


@pytest.mark.slow
def test_images_of_one_colour_are_as_rare_as_in_the_public_code(key):
    # RandAugment(3, 5): 3.5 % of the images there; 17.7 % if posterizing to 0 bits made black ones.
    picture = jnp.broadcast_to(images(32, 32, 3)[0], (2048, 32, 32, 3))
    out = np.asarray(jax.jit(functools.partial(randaugment, n=3, m=5, scale='ildoonet'))(key, picture))
    share = (out == out[:, :1, :1]).all((1, 2, 3)).mean()
    assert share < 0.06


@pytest.mark.slow
def test_ildoonet_s_cutout_is_moved_at_the_top_and_left(key):
    # M = 14: a square of 19 pixels covers 30.5 % of 32 x 32 (25.6 % if it were clipped all round).
    count, value = 4000, 40 * 14 / 30
    step = policies.Steps(
        jnp.full(count, ops.OPS.index('Cutout')), jnp.ones(count), jnp.full(count, value), jnp.zeros(count),
        jnp.zeros(count, bool),
    )  # fmt: skip
    white = jnp.full((count, 32, 32, 1), 255, jnp.uint8)
    out = policies.apply_step(key, white, step, cutout_fill=0, variant='ildoonet')
    painted = np.asarray(out)[..., 0] == 0
    begin = np.random.default_rng(0).uniform(0, 32, 10**6) - value / 2
    begin = np.maximum(begin, 0).astype(int)
    rows = np.array([((begin <= y) & (y <= begin + 18)).mean() for y in range(32)])
    np.testing.assert_allclose(painted.any(2).mean(0), rows, atol=6 * 0.5 / count**0.5)
    np.testing.assert_allclose(painted.any(1).mean(0), rows, atol=6 * 0.5 / count**0.5)
    assert painted.mean() == pytest.approx(rows.mean() ** 2, abs=0.01) and rows.mean() ** 2 > 0.3


@pytest.mark.slow
def test_no_operation_changes_nothing(key):
    given = images(8, 8, 3)
    np.testing.assert_array_equal(randaugment(key, given, n=0), given)


@pytest.mark.parametrize('scale', SCALES)
def test_operations_of_each_scale_of_randaugment(scale):
    names_, largest, _, fill, interpolation = SCALES[scale]
    sizes = {'torchvision': 14, 'ildoonet': 16, 'tpu': 16, 'timm': 15, 'released': 14 - 1}
    assert len(set(names_)) == len(names_) - (scale == 'released') == sizes[scale]
    assert set(names_) <= set(ops.OPS) and largest in (10, 30)
    assert (fill == 128) == (scale in ('tpu', 'timm'))
    assert (interpolation == 'bilinear') == (scale in ('timm', 'released'))
