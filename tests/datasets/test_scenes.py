import hashlib

import numpy as np
import pytest

from resizemix_jax.datasets import _scenes
from resizemix_jax.datasets.fashion_scenes import fashion_scenes

# Of the first 20 scenes for evaluation: the images, then boxes and classes as int64.
GOLDEN = 'e6426296dc40f1e458da6cf85343c29cfd01f487421dfff7603e0d3621cd1cdd'


@pytest.fixture(scope='module')
def scenes():
    return fashion_scenes(train_size=60, eval_size=20)


def test_every_machine_makes_the_same_bytes(scenes):
    split = scenes.read('eval', '')
    found = hashlib.sha256(split.images.tobytes())
    for boxes, label in split.examples:
        found.update(boxes.astype('<i8').tobytes() + label.astype('<i8').tobytes())
    assert found.hexdigest() == GOLDEN


def test_scenes_are_what_the_law_says(scenes):
    split = scenes.read('train', '')
    counts = [len(label) for _, label in split.examples]
    assert max(counts) == 4 and len(split.names) == 10
    boxes = np.concatenate([boxes for boxes, _ in split.examples])
    sides = boxes[:, 2:] - boxes[:, :2]
    assert sides.min() >= 6 and sides.max() <= 40 and boxes.min() >= 0 and boxes.max() <= 64
    for boxes, _ in split.examples:
        for i in range(len(boxes)):
            assert not any(_scenes._crowd(boxes[i], boxes[j]) for j in range(i))
    # the published statistics of the scenes, with which they are normalised
    assert split.images.mean() / 255 == pytest.approx(scenes.mean[0], abs=0.02)
    assert split.images.std() / 255 == pytest.approx(scenes.std[0], abs=0.02)


def test_more_scenes_change_none_and_training_differs_from_evaluation(scenes):
    more = fashion_scenes(train_size=20, eval_size=25).read('eval', '')
    split = scenes.read('eval', '')
    np.testing.assert_array_equal(more.images[:20], split.images)
    assert not np.array_equal(scenes.read('train', '').images[:20], split.images)


def test_boxes_hold_the_pixels_of_their_garment():
    """A white square in a black picture: its box is where the scene is brighter than any ground."""
    pictures = np.zeros((1, 28, 28), np.uint8)
    pictures[0, 7:21, 4:25] = 255
    seen = 0
    for seed in range(20):
        image, boxes, label = _scenes.draw(np.random.default_rng(seed), pictures, np.array([5]), 64, 1)
        distractors = np.random.default_rng(seed)
        _scenes._ground(distractors, 64)
        if distractors.integers(0, 3):  # they are bright, too
            continue
        seen += 1
        ((x0, y0, x1, y1),) = boxes.tolist()
        bright = np.argwhere(image > 140)
        assert label.tolist() == [5]
        assert [*bright.min(0), *(bright.max(0) + 1)] == [y0, x0, y1, x1]
    assert seen > 3


@pytest.mark.parametrize(
    'keywords', [dict(side=39), dict(side=257), dict(most=0), dict(most=17), dict(eval_size=0)]
)
def test_a_number_out_of_range_is_refused(keywords):
    with pytest.raises(ValueError, match=next(iter(keywords))):
        fashion_scenes(**keywords)
