import cv2
import numpy as np

from resizemix_jax.input.box_stream import GROUND, Annotations, resized


def test_annotations_lie_one_after_another():
    found = Annotations.of(
        [
            ('a.jpg', [(0, 0, 2, 3)], [4], [True], [6.0]),
            ('b.jpg', [], [], [], []),
            ('c.jpg', [(1, 1, 2, 2), (0, 1, 5, 9)], [0, 1], [False, False], [1, 40]),
        ]
    )
    assert found.first.tolist() == [0, 1, 1, 3] and found.label.tolist() == [4, 0, 1]
    assert found.boxes.shape == (3, 4) and found.boxes.dtype == np.float32
    assert found.ignore.tolist() == [True, False, False] and found.files.tolist() == [
        b'a.jpg',
        b'b.jpg',
        b'c.jpg',
    ]


def test_a_window_inside_is_resized_as_the_crop_would_be():
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 2)
    found = resized(picture, np.array([10, 20, 50, 56]), 30).astype(int)
    expected = cv2.resize(picture[20:56, 10:50], (30, 30), interpolation=cv2.INTER_LINEAR)
    # beyond the window lies the picture, and not its repeated border
    assert np.abs(found - expected)[1:-1, 1:-1].max() <= 2
    whole = resized(picture, np.array([0, 0, 80, 60]), 30)
    np.testing.assert_array_equal(whole, cv2.resize(picture, (30, 30), interpolation=cv2.INTER_LINEAR))


def test_beyond_the_picture_is_the_mean():
    picture = np.full((20, 20, 3), 255, np.uint8)
    found = resized(picture, np.array([-20, -20, 20, 20]), 40)
    assert (found[:19] == GROUND).all() and (found[21:, 21:] == 255).all()
