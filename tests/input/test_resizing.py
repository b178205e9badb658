"""Each law of resizing against Pillow's or its own definition."""

import numpy as np
import pytest
from PIL import Image

from resizemix_jax.input import resizing
from tests.input import miniature

PICTURE = miniature.pixels(60, 80, 0)


def by_pillow(height, width, across, down):
    image = Image.fromarray(PICTURE).resize((width, 60), across)
    return np.asarray(image.resize((width, height), down))


@pytest.mark.parametrize(
    ('height', 'width', 'across', 'down'),
    [
        (30, 40, Image.BILINEAR, Image.BILINEAR),
        (90, 120, Image.LANCZOS, Image.LANCZOS),
        (90, 40, Image.BILINEAR, Image.LANCZOS),
        (30, 120, Image.LANCZOS, Image.BILINEAR),
    ],
)
def test_dali_chooses_its_filter_for_each_axis(height, width, across, down):
    image = resizing.resize_box(PICTURE, (0, 0, 60, 80), height, width, 'dali')
    expected = by_pillow(height, width, across, down)
    # Pillow 13 may take the rows first; what is between the passes is rounded.
    assert np.abs(image.astype(int) - expected).max() <= 2
    if across != down:
        np.testing.assert_array_equal(image, expected)
    plain = resizing.resize_box(PICTURE, (0, 0, 60, 80), height, width, 'antialias')
    whole = Image.fromarray(PICTURE).resize((width, height), Image.BILINEAR)
    np.testing.assert_array_equal(plain, np.asarray(whole))


@pytest.mark.parametrize('resize', resizing.PILLOW)
@pytest.mark.parametrize(('height', 'width'), [(45, 60), (90, 120)])
def test_a_box_is_that_part_of_the_whole(height, width, resize):
    whole = resizing.resize_box(PICTURE, (0, 0, 60, 80), height, width, resize)
    scale = 60 / height
    box = (7 * scale, 11 * scale, 39 * scale, 43 * scale)
    part = resizing.resize_box(PICTURE, box, 32, 32, resize)
    off = np.abs(part.astype(int) - whole[7:39, 11:43])
    assert off.max() <= 2 and off.mean() < 0.25  # Pillow 13 may order its two passes otherwise


def test_a_stripe_pattern_finer_than_the_new_grid_is_averaged():
    """What `linear` turns into another pattern."""
    stripes = np.tile(np.array([0, 255], np.uint8)[None, :, None], (60, 30, 3))
    image = resizing.resize_box(stripes, (0, 0, 60, 60), 41, 41, 'antialias')
    aliased = resizing.resize_whole(stripes, 41, 41, 'linear')
    assert image[:, 2:-2].std() < 30 < 60 < aliased[:, 2:-2].std()
