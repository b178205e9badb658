import numpy as np
import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.input import boxes
from resizemix_jax.input.dataset import bucket_of

EXAMPLES = [
    (np.array([[1, 2, 5, 9], [0, 0, 3, 4]], np.float32), np.array([2, 0])),
    (np.zeros((0, 4), np.float32), np.zeros(0, int)),
]


def split(most=3):
    images = np.arange(2 * 10 * 8, dtype=np.uint8).reshape(2, 10, 8, 1)
    return boxes.BoxSplit(images, EXAMPLES, most, ('a', 'b', 'c'))


def test_boxes_are_padded_behind_those_that_are_there():
    found = boxes.padded(*EXAMPLES[0], 3, 'image 0')
    assert found['boxes'].tolist() == [[1, 2, 5, 9], [0, 0, 3, 4], [0, 0, 0, 0]]
    assert found['label'].tolist() == [2, 0, 0] and found['count'] == 2


def test_more_boxes_than_there_is_room_for_are_an_error():
    with pytest.raises(
        DataError, match='image 0 has 2 boxes, and there is room for 1; raise dataset_args.most'
    ):
        split(most=1)


def test_a_batch_is_of_the_bucket_and_in_the_order_asked_for():
    whole = split()
    batch = whole.batch(np.array([1, 0, 1]), None)
    assert bucket_of(batch, whole.buckets) == 0
    assert batch['count'].tolist() == [0, 2, 0]
    np.testing.assert_array_equal(batch['images'], whole.images[[1, 0, 1]])
    assert batch['size'].tolist() == [[10, 8]] * 3 and batch['scale'].tolist() == [[1] * 4] * 3


def test_truths_have_what_the_measures_need():
    first, second = split().truths()
    assert first['area'].tolist() == [28, 12] and not first['ignore'].any()
    assert second['boxes'].shape == (0, 4) and second['area'].shape == (0,)
