import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.tasks import _detection
from resizemix_jax.tasks._detection import MEASURES


def test_what_is_beyond_an_image_s_own_size_is_zero():
    images = jnp.ones((2, 3, 4, 1))
    found = np.asarray(_detection.inside(images, jnp.float32([[3, 4], [2, 1]])))[..., 0]
    assert found[0].all()
    assert found[1].tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


class Split:
    def __init__(self, boxes, label):
        self.truth = dict(
            boxes=np.array(boxes, float).reshape(-1, 4), label=np.array(label, int),
            ignore=np.zeros(len(label), bool), area=np.full(len(label), 100.0),
        )  # fmt: skip

    def truths(self):
        return [self.truth]


def rows(boxes, label):
    return {
        'boxes': np.array([boxes], np.float32),
        'score': np.linspace(0.9, 0.5, len(label))[None],
        'label': np.array([label]),
        'overflow': np.array([3]),
    }


def measured(measure, split, found):
    return _detection.summary(found, split, measure, 2)


@pytest.mark.parametrize('measure', [*MEASURES, 'coco'])
def test_measures_of_a_whole_split(measure):
    split = Split([[0, 0, 10, 10], [20, 20, 30, 30]], [0, 1])
    # the second is found at an overlap of 2/3
    found = rows([[0, 0, 10, 10], [20, 20, 30, 35], [50, 50, 60, 60]], [0, 1, -1])
    result = measured(measure, split, found)
    assert result['overflow'] == 3
    expected = {'coco': ((1 + 0.4) / 2, 0.5)}.get(measure, (1.0, 0.5))
    assert (result['map'], result['map_75']) == pytest.approx(expected, abs=1e-3)


def test_a_split_without_boxes_has_the_lowest_score():
    split = Split([], [])
    assert measured('voc07', split, rows([[0, 0, 1, 1]], [0]))['map'] == 0.0
    assert measured('coco', split, rows([[0, 0, 1, 1]], [0]))['map'] == 0.0
