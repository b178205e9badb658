"""The grids of blocks that fit an image, and the parts that move within them."""

import numpy as np

from resizemix_jax.mixing._grid import grids, largest_divisor, parts_to_move


def test_which_grids_fit():
    def made(height, width, side=2, t_size=-1):
        images = np.zeros((1, height, width, 3), np.float32)
        return grids(images, (2, 4, 8, 16)), parts_to_move(images, side, t_size)

    assert made(32, 32)[0] == made(224, 224)[0] == [2, 4, 8, 16]
    assert made(28, 28)[0] == made(16, 12)[0] == made(28, 224)[0] == [2, 4]
    assert [made(32, 32, side, 4)[1] for side in (2, 4, 8, 16)] == [4, 2, 1, 1]  # CIFAR-100's
    assert made(28, 28, 2, 4)[1] == 7 and made(224, 224, 2, 32)[1] == 4
    assert made(32, 24, 2, 4)[1] == 4 and made(10, 14, 2, 4)[1] == 1
    # No parts so small: 7 pixels have none but single ones, and 16 parts a side are the most.
    assert made(28, 28, 4, 4)[1] == 1 and made(224, 224, 2, 4)[1] == 8
    assert [largest_divisor(length, 4) for length in (1, 2, 7, 14, 16, 28)] == [1, 2, 1, 2, 4, 4]
