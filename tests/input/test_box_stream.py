import numpy as np

from resizemix_jax.input.box_stream import Annotations


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
