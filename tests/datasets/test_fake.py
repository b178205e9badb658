import numpy as np
import pytest

from resizemix_jax.datasets.fake import fake


def test_images_have_any_shape_and_are_always_the_same():
    dataset = fake(image_shape=(9, 7, 2), num_classes=3, train_size=11, eval_size=5)
    first, again, evaluation = (dataset.read(split, '') for split in ('train', 'train', 'eval'))
    assert first.images.shape == (11, 9, 7, 2) and set(first.label) <= {0, 1, 2}
    np.testing.assert_array_equal(first.images, again.images)
    assert evaluation.images.shape == (5, 9, 7, 2)
    assert not np.array_equal(evaluation.images, first.images[:5])


@pytest.mark.parametrize(
    'keywords',
    [
        {'image_shape': (3, 3)},
        {'image_shape': (3, 0, 1)},
        {'image_shape': (8.5, 8, 3)},
        {'num_classes': 0},
        {'train_size': 0},
    ],
)
def test_a_value_out_of_range_is_refused(keywords):
    with pytest.raises(ValueError, match='must be (a tuple of 3 values, each a whole|>= 1)'):
        fake(**keywords)
