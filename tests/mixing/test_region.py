import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.mixing import _region as region


@pytest.mark.parametrize(('centre', 'start', 'end'), [(2, 0, 11), (31, 21, 32), (16, 11, 22)])
def test_shifted_box_keeps_its_size(centre, start, end):
    # The frozen vectors of the released getbox_new at n = 11 on 32 pixels.
    box = region.shifted_box(jnp.array([centre]), jnp.array([16]), (11, 5), 32, 32)
    assert box.tolist() == [[start, 14, end, 19]]


def test_shifted_box_piles_up_at_the_borders():
    centres = jnp.arange(32)
    for n, first, last in ((25, 13, 13), (10, 6, 5)):
        y0 = region.shifted_box(centres, centres, (n, n), 32, 32)[:, 0]
        assert int((y0 == 0).sum()) == first  # 13 / 32 = 0.406, 6 / 32 = 0.188
        assert int((y0 == 32 - n).sum()) == last  # 0.406, 5 / 32 = 0.156


def test_clipped_box_loses_the_part_outside():
    box = region.clipped_box(jnp.array([30, 16]), jnp.array([3, 16]), (22, 22), 32, 32)
    assert box.tolist() == [[19, 0, 32, 14], [5, 5, 27, 27]]
    odd = region.clipped_box(jnp.array([16]), jnp.array([16]), (5, 1), 32, 32)
    assert odd.tolist() == [[14, 16, 18, 16]]  # an odd side loses a pixel, a side of 1 vanishes


@pytest.mark.slow
def test_share_is_the_mean_of_the_mask():
    box = jnp.array([[19, 0, 32, 14], [0, 0, 32, 20], [5, 5, 5, 9]])
    mask = region.inside(box, 32, 20)
    np.testing.assert_allclose(mask.mean(axis=(1, 2, 3)), region.share(box, 32, 20), rtol=1e-6)
    assert mask.shape == (3, 32, 20, 1)


@pytest.mark.slow
def test_centres_are_uniform_over_the_pixels(key):
    y, x = region.draw_centres(key, 60_000, 6, 10)
    counts = np.histogram2d(np.asarray(y), np.asarray(x), [np.arange(7), np.arange(11)])[0]
    # 1000 a cell; 6 standard deviations of a binomial count
    assert abs(counts - 1000).max() < 6 * 1000**0.5
