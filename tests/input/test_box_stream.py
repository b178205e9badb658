import cv2
import numpy as np
import pytest
from PIL import Image

from resizemix_jax.errors import DataError
from resizemix_jax.input.box_stream import GROUND, Annotations, View, resized
from resizemix_jax.input.dataset import bucket_of

SHAPES = [(20, 30), (30, 20), (10, 40), (24, 24), (16, 18), (40, 10), (12, 50)]  # 4 wide ones, 3 others
KEEP = View('keep', 300, True, 60, 30, 5)


@pytest.fixture
def split(tmp_path):
    for k, shape in enumerate(SHAPES):
        pixels = np.random.default_rng(k).integers(0, 256, (*shape, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f'{k}.png')
    pictures = [
        (f'{k}.png', [(2, 3, 8, 9), (0, 0, 4, 4)], [k, 0], [False, True], [36, 16], shape)
        for k, shape in enumerate(SHAPES)
    ]
    return KEEP.open('set', tmp_path, Annotations.of(pictures), tuple('abcdefg'))


def test_the_aspect_is_kept_in_the_bucket_of_the_orientation(split):
    assert [bucket['images'][0] for bucket in split.buckets] == [(32, 64, 3), (64, 32, 3)]
    # 20 x 30 pixels times min(60 / 30, 30 / 20): 30 x 45
    (wide,) = (split.batch(np.array([k]), None) for k in (0,))
    assert bucket_of(wide, split.buckets) == 0
    assert wide['size'].tolist() == [[30, 45]] and wide['scale'].tolist() == [[1.5] * 4]
    assert wide['boxes'][0, 0].tolist() == [3, 4.5, 12, 13.5] and wide['count'].tolist() == [1]
    with Image.open(split.path(0)) as picture:
        expected = cv2.resize(np.asarray(picture), (45, 30), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(wide['images'][0, :30, :45], expected)
    assert not wide['images'][0, 30:].any() and not wide['images'][0, :, 45:].any()
    # 12 x 50 times 1.2: 14.4 is 14
    assert split.batch(np.array([6]), None)['size'].tolist() == [[14, 60]]
    for row in (1, 3, 5):  # a square stands, too
        assert bucket_of(split.batch(np.array([row]), None), split.buckets) == 1


def test_a_line_of_pixels_keeps_one(tmp_path):
    Image.new('RGB', (200, 1)).save(tmp_path / 'line.png')
    annotations = Annotations.of([('line.png', [], [], [], [], (1, 200))])
    batch = KEEP.open('set', tmp_path, annotations, ('a',)).batch(np.array([0]), None)
    assert batch['size'].tolist() == [[1, 60]]


def test_an_epoch_fills_up_each_bucket_and_every_picture_is_evaluated_once(split):
    order = split.order(3, 0, 2)
    assert split.steps(2) == len(order) == 4
    wide = {0, 2, 4, 6}
    for rows in order:
        assert set(rows) <= wide or not set(rows) & wide
    assert sorted(order.ravel())[:1] == [0] and set(order.ravel()) == set(range(7))
    assert not np.array_equal(order, split.order(3, 1, 2))
    np.testing.assert_array_equal(order, split.order(3, 0, 2))
    assert split.order(3, 0, 16).shape == (2, 16)  # more than there are: from the beginning again
    rows, valid = split.eval_order(3)
    assert sorted(rows[valid]) == list(range(7)) and rows.shape == (3, 3)


def test_a_picture_of_another_size_than_its_annotation_is_named(split, tmp_path):
    Image.new('RGB', (5, 5)).save(tmp_path / '2.png')
    with pytest.raises(DataError, match=r'2\.png has 5 x 5 pixels, and by its annotation 10 x 40'):
        split.batch(np.array([2]), None)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(resize='crop'), "dataset_args.resize='crop'"),
        (dict(longest=20), 'dataset_args.shortest=30 must be <= longest=20'),
        (dict(most=0), 'dataset_args.most=0'),
        (dict(crops=1), 'dataset_args.crops=1'),
    ],
)
def test_a_view_out_of_range_is_a_sentence(changes, message):
    with pytest.raises(ValueError, match=message):
        KEEP._replace(**changes).checked()


def test_annotations_lie_one_after_another():
    found = Annotations.of(
        [
            ('a.jpg', [(0, 0, 2, 3)], [4], [True], [6.0], (10, 20)),
            ('b.jpg', [], [], [], [], (5, 5)),
            ('c.jpg', [(1, 1, 2, 2), (0, 1, 5, 9)], [0, 1], [False, False], [1, 40], (30, 4)),
        ]
    )
    assert found.first.tolist() == [0, 1, 1, 3] and found.label.tolist() == [4, 0, 1]
    assert found.shape.tolist() == [[10, 20], [5, 5], [30, 4]]
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
