import logging

import numpy as np
import pytest

from resizemix_jax.datasets import coco as coco_file
from resizemix_jax.datasets.coco import coco
from resizemix_jax.errors import DataError
from tests.input.cocokit import CATEGORIES, EVAL, FOUND, OBJECTS, TRAIN, annotations, make, write


@pytest.fixture
def root(tmp_path):
    return make(tmp_path / 'coco')


def test_pictures_and_boxes_to_train_on(root, caplog):
    caplog.set_level(logging.INFO, 'resizemix_jax')
    dataset = coco(source=str(root), image_size=120)
    assert dataset.sizes == {'train': 2, 'eval': 2} and dataset.num_classes == 3
    train = dataset.read('train', '')
    assert train.names == ('person', 'train', 'toothbrush')  # by their ids, without gaps
    assert [name for name, _ in train.files[:-1]] == [
        'train2017/000000000007.jpg',
        'train2017/000000000042.jpg',
    ]
    batch = train.batch(np.arange(2), None)
    assert batch['count'].tolist() == [0, 1] and batch['label'][1, 0] == 2
    np.testing.assert_allclose(batch['boxes'][1, 0], [21, 15, 61, 105.75])  # 60 x 40 pixels
    assert '2 boxes without an area or outside their picture are left out' in caplog.text


def test_all_is_evaluated_on(root):
    split = coco(source=str(root)).read('eval', '')
    empty, narrow = split.truths()
    assert split.size == 2 and len(empty['label']) == 0
    assert narrow['boxes'].tolist() == [[4, 5, 4.5, 11]] and narrow['area'].tolist() == [3.0]
    crowd = coco(source=str(root)).read('train', '').truths()[1]
    assert crowd['ignore'].tolist() == [False, True]


def test_empty_boxes_to_evaluate_on_are_told_and_inverted_ones_refused(root, caplog):
    write(root, 'val2017', annotations(EVAL, [FOUND[0] | dict(bbox=[4, 5, 0, 6])]))
    assert coco(source=str(root)).read('eval', '').truths()[1]['boxes'].tolist() == [[4, 5, 4, 11]]
    assert '1 empty boxes are evaluated on' in caplog.text
    for folder, sizes in (('train2017', TRAIN), ('val2017', EVAL)):
        image = next(iter(sizes))
        write(root, folder, annotations(sizes, [FOUND[0] | dict(image_id=image, bbox=[10, 5, -6, 6])]))
        with pytest.raises(DataError, match=folder + r'.*of annotation 0 is inverted'):
            coco(source=str(root))
        write(
            root, folder, annotations(TRAIN, OBJECTS) if folder == 'train2017' else annotations(EVAL, FOUND)
        )


def test_the_annotations_are_parsed_once(root, monkeypatch):
    first = coco(source=str(root)).read('train', '').annotations
    monkeypatch.setattr(coco_file, '_parse', None)
    kept = coco(source=str(root)).read('train', '').annotations
    for one, two in zip(first, kept, strict=True):
        np.testing.assert_array_equal(one, two)


def test_kept_annotations_that_are_damaged_are_made_again(root, caplog):
    coco(source=str(root))
    (kept,) = (root / 'annotations').glob('*train*.npz')
    kept.write_bytes(kept.read_bytes()[:-200])
    assert coco(source=str(root)).sizes['train'] == 2
    assert f'The annotation index {kept} cannot be used and is rebuilt' in caplog.text


def test_other_boxes_are_other_data(root):
    before = coco(source=str(root)).read('train', '').files
    assert coco(source=str(root)).read('train', '').files == before
    write(root, 'train2017', annotations(TRAIN, [OBJECTS[0] | dict(bbox=[10.5, 5, 20, 30]), *OBJECTS[1:]]))
    after = coco(source=str(root)).read('train', '').files
    assert after[:-1] == before[:-1] and after[-1] != before[-1]


def changed(**values):
    return annotations(TRAIN, OBJECTS) | values


def without(part, key):
    """A file whose `part` has no `key`, and no objects that would need it."""
    content = changed(annotations=[])
    return content | {part: [{k: v for k, v in one.items() if k != key} for one in content[part]]}


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (
            changed(annotations=[dict(image_id=42, id=1, caption='a dog')]),
            "is not a file of objects .*'bbox'",
        ),
        (changed(annotations=[OBJECTS[0] | dict(image_id=5)]), 'names what it does not have: 5'),
        (changed(annotations=[OBJECTS[0] | dict(category_id=2)]), 'names what it does not have: 2'),
        (changed(annotations=[OBJECTS[0] | dict(bbox=[1, 2, 3])]), r'cannot be read \(not enough values'),
        (changed(annotations=[]), 'has no picture to use'),
        (
            changed(categories=CATEGORIES[:2], annotations=OBJECTS[1:4]),
            'the classes of train2017 and val2017',
        ),
        ([1, 2], r'train2017\.json cannot be read'),
        (
            changed(annotations=[dict(OBJECTS[0], bbox=None, keypoints=[3, 4, 2], num_keypoints=1)]),
            r'train2017\.json cannot be read',
        ),
        (
            changed(annotations=[OBJECTS[0] | dict(bbox=[1, 2, float('nan'), 4])]),
            'cannot be read .a box .*nan',
        ),
        (without('images', 'file_name'), "does not have: 'file_name'"),
        (without('images', 'height'), "does not have: 'height'"),
        (without('categories', 'name'), "does not have: 'name'"),
        (
            changed(images=[dict(id=42, file_name='a', height='x', width=3)]),
            r'train2017\.json cannot be read',
        ),
    ],
)
def test_a_wrong_file_is_a_sentence(content, message, root):
    write(root, 'train2017', content)
    with pytest.raises(DataError, match=message):
        coco(source=str(root))


def test_what_is_missing_is_named(root, tmp_path):
    with pytest.raises(ValueError, match="dataset='coco' needs a directory"):
        coco(source='')
    (root / 'val2017' / '000000000003.jpg').unlink()
    with pytest.raises(DataError, match='val2017/000000000003.jpg is missing, and the annotations name it'):
        coco(source=str(root)).read('eval', '')
    (root / 'annotations' / 'instances_val2017.json').write_text('{')
    with pytest.raises(DataError, match=r'instances_val2017\.json cannot be read'):
        coco(source=str(root))
    with pytest.raises(DataError, match=r'instances_train2017\.json is missing. Name the directory'):
        coco(source=str(tmp_path / 'absent'))
