"""The held-out part of the training examples: its law, and what cannot be divided."""

import os
import types

import cv2
import numpy as np
import pytest

from resizemix_jax import build
from resizemix_jax.datasets.fake import fake
from resizemix_jax.datasets.folder import folder
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.input import pipeline
from resizemix_jax.input.held_out import divided, draw, part_counts
from resizemix_jax.run import identity
from tests import tiny


@pytest.mark.parametrize(
    ('sizes', 'share', 'counts'),
    [
        ((50, 50, 50), 0.1, (5, 5, 5)),
        ((10, 25, 7), 0.1, (1, 2, 1)),  # 4 of 42; 1, 2.5 and 0.7
        ((15, 20), 0.1, (2, 2)),  # 3.5 is rounded to 4
        ((25, 20), 0.1, (2, 2)),  # 4.5 is rounded to 4
        ((15, 15, 5), 0.1, (2, 2, 0)),  # of equal fractions the first ones
        ((100, 100), 0.29, (29, 29)),  # 28.999999999999996 in float64
        ((100, 100), 0.07, (7, 7)),  # 7.000000000000001
        ((4, 4), 0.5, (2, 2)),
    ],
)
def test_every_class_gives_its_share_by_largest_remainders(sizes, share, counts):
    assert tuple(part_counts(np.array(sizes), share)) == counts


@pytest.mark.parametrize('seed', [0, 7])
def test_the_drawn_rows_are_those_of_the_law(seed):
    label = np.random.default_rng(5).integers(0, 3, 97)
    rest, part = draw(label, (), 0.2, seed)
    rng, expected = np.random.default_rng((seed, 2**31)), []
    for k, count in enumerate(part_counts(np.bincount(label), 0.2)):
        own = np.array([row for row in range(97) if label[row] == k])
        expected += list(own[rng.permutation(len(own))[:count]])
    assert list(part) == sorted(expected) and len(part) == 19
    assert sorted([*rest, *part]) == list(range(97)) and list(rest) == sorted(rest)


def test_every_example_is_held_out_equally_often():
    label = np.repeat([0, 1], [10, 20])
    counts = np.bincount(np.concatenate([draw(label, (), 0.3, seed)[1] for seed in range(2000)]))
    # 600 of 2000 draws, a standard deviation of 20.5
    assert counts.shape == (30,) and np.abs(counts - 600).max() < 5 * 20.5


def test_without_a_share_nothing_changes():
    dataset = fake()
    assert divided(dataset, 0.0, 0) is dataset


def test_both_parts_of_a_set_in_memory():
    whole, dataset = fake(train_size=67), divided(fake(train_size=67), 0.2, 3)
    assert dataset.sizes == {'train': 54, 'eval': 256, 'held_out': 13}
    parts = {name: dataset.read(name, '') for name in dataset.splits}
    assert {name: part.size for name, part in parts.items()} == dataset.sizes
    before = whole.read('train', '')
    for name, rows in zip(('train', 'held_out'), draw(before.label, (), 0.2, 3), strict=True):
        np.testing.assert_array_equal(parts[name].batch(np.arange(parts[name].size), None)['images'],
                                      before.images[rows])  # fmt: skip
        np.testing.assert_array_equal(parts[name].label, before.label[rows])
    np.testing.assert_array_equal(parts['eval'].images, whole.read('eval', '').images)


def test_the_sizes_are_known_without_data():
    plan = build.plan(tiny.config(dataset='cifar100', held_out=0.1))
    assert plan.dataset.sizes == {'train': 45_000, 'eval': 10_000, 'held_out': 5_000}


def test_a_fingerprint_tells_other_draws_of_the_same_size():
    one, two = (divided(fake(train_size=67), 0.2, seed).read('held_out', '') for seed in (0, 1))
    assert one.size == two.size and identity.fingerprint(one)['rows'] != identity.fingerprint(two)['rows']
    assert 'rows' not in identity.fingerprint(fake().read('train', ''))


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    """Two classes of ten and twenty pictures; the grey of picture k is 8 k."""
    root = tmp_path_factory.mktemp('pictures')
    for k in range(30):
        path = root / f'train/{"ab"[k >= 10]}/{k:02d}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((9, 9, 3), 8 * k, np.uint8))
    for name in 'ab':
        (root / f'val/{name}').mkdir(parents=True)
        cv2.imwrite(str(root / f'val/{name}/1.png'), np.zeros((9, 9, 3), np.uint8))
    return root


def in_folders(root, share=0.2, **values):
    return divided(folder(source=str(root), image_size=8, **values), share, 0)


def numbers(split):
    return [int(os.path.basename(split.records.file(row))[:2]) for row in range(split.size)]


def test_folders_are_divided_by_class(pictures):
    dataset = in_folders(pictures)
    train, held_out = (dataset.read(name, '') for name in ('train', 'held_out'))
    assert dataset.sizes == {'train': 24, 'eval': 2, 'held_out': 6} and (train.size, held_out.size) == (24, 6)
    assert sorted(numbers(train) + numbers(held_out)) == list(range(30))
    assert held_out.label.tolist() == [0, 0, 1, 1, 1, 1] and held_out.names == ('a', 'b')
    batch = held_out.batch(np.arange(6), None)
    assert (batch['images'][:, 0, 0, 0] // 8).tolist() == numbers(held_out)
    # the files of the part alone
    assert identity.fingerprint(held_out)['files'] != identity.fingerprint(train)['files']


@pytest.mark.slow
def test_worker_processes_make_the_batches_of_a_part(pictures):
    train = in_folders(pictures).read('train', '')
    made = [list(pipeline.train_batches(train, 8, 0, 0, 4, workers=workers)) for workers in (0, 2)]
    for one, two in zip(*made, strict=True):
        np.testing.assert_array_equal(one['images'], two['images'])


@pytest.mark.slow
def test_a_damaged_picture_is_replaced_by_one_of_its_own_part(pictures, tmp_path):
    (tmp_path / 'val').symlink_to(pictures / 'val')
    dataset = in_folders(pictures)
    known = numbers(dataset.read('train', ''))
    for k in range(30):
        path = tmp_path / f'train/{"ab"[k >= 10]}/{k:02d}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        data = (pictures / path.relative_to(tmp_path)).read_bytes()
        path.write_bytes(b'' if k in known[1:] else data)  # one picture of the part can be read
    train = in_folders(tmp_path, max_damaged=0.99).read('train', '')
    assert numbers(train) == known
    for epoch in range(8):
        batch = train.batch(np.arange(24), (0, epoch))
        assert set(batch['images'].ravel() // 8) == {known[0]}


def refused(message, **values):
    with pytest.raises((ConfigError, DataError), match=message):
        build.plan(tiny.config(**values))


@pytest.mark.parametrize('share', [-0.1, 1.0, 1.5, float('nan')])
def test_a_share_out_of_range(share):
    refused(r'^held_out=.* must be (a finite number )?in \[0, 1\)$', held_out=share)


@pytest.mark.parametrize(('share', 'count'), [(0.001, 0), (0.999, 67)])
def test_a_share_that_leaves_a_part_empty(share, count):
    refused(f'^held_out={share} of 67 training examples are {count}, and both parts need', held_out=share)


def test_labels_in_records_name_the_slices_to_write():
    refused(
        r"^held_out=0.1: dataset='imagenet': the classes of imagenet2012 are not known without reading all .*"
        r"'--config.dataset=tfds:imagenet2012:train\[:90%\]:train\[90%:\]'; at the end measure with "
        r"--mode=evaluate and '--config.dataset=tfds:imagenet2012:train:validation'$",
        dataset='imagenet', held_out=0.1, model='resnet',
    )  # fmt: skip


def test_a_class_that_is_too_small_is_named(pictures):
    with pytest.raises(DataError, match="^held_out=0.04: of class 'a' 0 of 10 training examples would be"):
        in_folders(pictures, share=0.04)
    dataset = divided(fake(num_classes=40, train_size=67), 0.1, 0)
    with pytest.raises(DataError, match='^held_out=0.1: of class 0 0 of . training examples would be held'):
        dataset.read('train', '')


def test_a_set_with_a_held_out_split_of_its_own():
    refused("dataset='bucketed' has a split 'held_out' of its own; set held_out=0", dataset='tests.bucketed',
            task='tests.boxes', held_out=0.1)  # fmt: skip


def test_a_set_that_does_not_tell_its_labels():
    dataset = fake(train_size=67)
    silent = dataset._replace(
        reader=lambda split, data_dir: types.SimpleNamespace(
            **vars(dataset.reader(split, data_dir)) | {'label': None, 'buckets': dataset.buckets}
        )
    )
    with pytest.raises(DataError, match='held_out=0.2: fake does not tell its labels; set held_out=0'):
        divided(silent, 0.2, 0).read('held_out', '')


@pytest.mark.slow
def test_a_task_that_trains_on_the_part_is_evaluated_on_the_test_split():
    plan = build.plan(tiny.config(held_out=0.2))
    assert plan.evaluated_on == 'held_out'
    searching = types.SimpleNamespace(splits=('train', 'held_out'))
    assert plan._replace(task=searching).evaluated_on == 'eval'
