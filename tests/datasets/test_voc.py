import pickle

import cv2
import numpy as np
import pytest
from PIL import Image

from resizemix_jax import build
from resizemix_jax import config as configs
from resizemix_jax.datasets.voc import CLASSES, voc
from resizemix_jax.errors import DataError
from resizemix_jax.input import pipeline
from tests.input import vockit
from tests.input.batches import assert_same


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return vockit.write(tmp_path_factory.mktemp('VOCdevkit'))


@pytest.fixture
def own(tmp_path):
    return vockit.write(tmp_path)


def test_both_years_are_trained_on_and_2007_is_evaluated_on(root):
    dataset = voc(source=str(root), image_size=64)
    assert dataset.sizes == {'train': 3, 'eval': 1} and dataset.num_classes == 20
    train, test = (dataset.read(split, '') for split in ('train', 'eval'))
    assert [name for name, _ in train.files[:-1]] == [
        'VOC2007/JPEGImages/000005.jpg', 'VOC2007/JPEGImages/000007.jpg', 'VOC2012/JPEGImages/2008_000002.jpg'
    ]  # fmt: skip
    assert test.names == CLASSES


def test_boxes_are_the_file_s_less_one_times_the_scale_and_difficult_ones_are_left_out(root):
    split = voc(source=str(root), image_size=120, most=3).read('train', '')
    batch = split.batch(np.arange(3), None)
    assert batch['count'].tolist() == [1, 1, 0]  # the cow and the monitor are difficult
    # 60 x 40 pixels: twice the width, three times the height
    assert batch['boxes'][0].tolist() == [[20, 15, 60, 75], [0] * 4, [0] * 4]
    assert batch['scale'][0].tolist() == [2, 3, 2, 3]
    # fractions are cut off: 1.7 is 1, 29.4 is 29; 20 x 30 pixels
    np.testing.assert_allclose(batch['boxes'][1][0], [0, 1 * 4, 19 * 6, 28 * 4])
    assert batch['label'][:2, 0].tolist() == [CLASSES.index('chair'), CLASSES.index('car')]
    assert batch['size'].tolist() == [[120, 120]] * 3


def test_pictures_are_resized_as_mmdetection_does(root):
    split = voc(source=str(root), image_size=30).read('eval', '')
    with Image.open(root / 'VOC2007/JPEGImages/000001.jpg') as picture:
        expected = cv2.resize(np.asarray(picture), (30, 30), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(split.batch(np.array([0]), None)['images'][0], expected)


def test_truths_are_of_the_original_picture_with_what_is_ignored(root):
    (truth,) = voc(source=str(root)).read('eval', '').truths()
    assert truth['boxes'].tolist() == [[4, 5, 20, 45], [0, 0, 40, 50]]
    assert truth['area'].tolist() == [640, 2000] and not truth['ignore'].any()
    first, _, last = voc(source=str(root)).read('train', '').truths()
    assert first['ignore'].tolist() == [False, True] and last['ignore'].tolist() == [True]


def test_training_sees_random_windows_drawn_from_the_seed_the_epoch_and_the_row(root):
    split, plain = (
        voc(source=str(root), image_size=60, crops=crops).read('train', '') for crops in (True, False)
    )
    rows = np.array([0, 1])
    first = split.batch(rows, (3, 5))
    for name, array in split.batch(rows, (3, 5)).items():
        np.testing.assert_array_equal(array, first[name])
    np.testing.assert_array_equal(split.batch(rows[::-1], (3, 5))['images'][1], first['images'][0])
    others = [split.batch(rows, (3, epoch)) for epoch in range(20)]
    assert len({batch['images'].tobytes() for batch in others}) > 15
    for batch in others:
        boxes, count = batch['boxes'], batch['count']
        assert boxes.min() >= 0 and boxes.max() <= 60.001 and count.max() <= 1
        real = boxes[:, 0][count > 0]
        assert (real[:, :2] < real[:, 2:]).all()
    for name, array in plain.batch(rows, (3, 5)).items():
        np.testing.assert_array_equal(array, split.batch(rows, None)[name])


def test_worker_processes_get_arrays(root):
    split = voc(source=str(root), image_size=16).read('train', '')
    other = pickle.loads(pickle.dumps(split))
    for name, array in split.batch(np.array([2, 0]), None).items():
        np.testing.assert_array_equal(other.batch(np.array([2, 0]), None)[name], array)


@pytest.mark.slow
def test_worker_processes_make_the_batches_that_this_one_makes(root):
    for keywords in (dict(image_size=16), dict(resize='keep', longest=64, shortest=32)):
        split = voc(source=str(root), **keywords).read('train', '')
        assert_same(*(pipeline.train_batches(split, 2, 3, 0, 6, workers=number) for number in (2, 0)))
        assert_same(*(pipeline.eval_batches(split, 2, workers=number) for number in (2, 0)))


def test_a_detector_is_planned_on_it(root):
    keys = dict(task='detect_ssd', dataset=f'voc:{root}', model='ssd300', batch_size=2, num_devices=1)
    keys |= dict(model_args=dict(depth=14, width=4, anchors='voc'))
    plan = build.plan(configs.complete(configs.assign(configs.base(), keys)))
    assert plan.dataset.image_shape == (300, 300, 3) and plan.task.score == 'map'


def read(root, split='train', **keywords):
    return voc(source=str(root), **keywords).read(split, '')


def test_more_boxes_than_there_is_room_for_name_the_picture(own):
    vockit.annotate(own, 'VOC2007', '000007', (30, 20), [('car', 0, (1, 1, 5, 5))] * 3)
    with pytest.raises(DataError, match=r'000007\.jpg has 3 boxes, and there is room for 2'):
        read(own, most=2)
    assert read(own, most=3).batch(np.array([1]), None)['count'] == 3


@pytest.mark.parametrize(
    ('objects', 'message'),
    [
        ([('unicorn', 0, (1, 1, 5, 5))], r"000007\.xml has an object 'unicorn'; the classes are aeroplane"),
        ([('car', 0, (5, 1, 5, 9))], r"000007\.xml has a box of 'car' from \(4, 0\) to \(4, 8\); correct"),
        ([('car', 0, (1, 1, 'x', 9))], r'000007\.xml cannot be read'),
        ([('car', 0, (1, 1, 'inf', 9))], r'000007\.xml cannot be read'),
        ([('car', 0, (9, 1, 5, 9))], r"000007\.xml has a box of 'car' from \(8, 0\) to \(4, 8\); correct"),
    ],
)
def test_a_wrong_annotation_names_its_file(objects, message, own):
    vockit.annotate(own, 'VOC2007', '000007', (30, 20), objects)
    with pytest.raises(DataError, match=message):
        read(own)


def test_what_is_missing_or_damaged_is_named(own, tmp_path):
    with pytest.raises(ValueError, match="dataset='voc' needs a directory"):
        voc(source='')
    with pytest.raises(DataError, match='trainval.txt is missing. Name the directory that has VOC2007'):
        voc(source=str(tmp_path / 'absent'))
    (own / 'VOC2007/Annotations/000005.xml').write_text('<annotation>')
    with pytest.raises(DataError, match=r'000005\.xml cannot be read'):
        read(own)
    (own / 'VOC2007/JPEGImages/000001.jpg').write_bytes(b'no picture')
    with pytest.raises(DataError, match=r'voc eval: .*000001\.jpg: .*repair the file'):
        read(own, 'eval').batch(np.array([0]), None)
    (own / 'VOC2007/JPEGImages/000001.jpg').unlink()
    with pytest.raises(DataError, match=r'VOC2007/JPEGImages/000001\.jpg is missing, and a list names it'):
        read(own, 'eval')
    (own / 'VOC2007/ImageSets/Main/test.txt').write_text('\n')
    with pytest.raises(DataError, match='the lists of test are empty'):
        voc(source=str(own))
