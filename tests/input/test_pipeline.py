import numpy as np
import pytest

from resizemix_jax.errors import DataError
from resizemix_jax.input import pipeline
from resizemix_jax.input.dataset import ImageSplit
from tests.bucketed import SHAPES, BucketedSplit, bucketed
from tests.input.batches import assert_same, joined


def coded(size):
    """Example i is labelled i and has the value i."""
    label = np.arange(size, dtype=np.int32)
    return ImageSplit(np.broadcast_to(label[:, None, None, None], (size, 2, 2, 1)).astype(np.uint8), label)


def test_an_epoch_visits_every_example_once():
    split = coded(100)
    for epoch in range(3):
        seen = [pipeline.train_batch(split, 20, 0, step)['label'] for step in range(5 * epoch, 5 * epoch + 5)]
        assert sorted(np.concatenate(seen).tolist()) == list(range(100))


def test_an_incomplete_last_batch_is_dropped():
    split = coded(103)
    seen = np.concatenate([pipeline.train_batch(split, 20, 0, step)['label'] for step in range(5)])
    assert len(set(seen.tolist())) == 100
    assert pipeline.train_batch(split, 20, 0, 5)['label'].tolist() != seen[:20].tolist()


def test_a_batch_depends_on_seed_and_step_alone():
    split = coded(64)
    forwards = [pipeline.train_batch(split, 16, 3, step)['label'].tolist() for step in range(12)]
    backwards = [pipeline.train_batch(split, 16, 3, step)['label'].tolist() for step in reversed(range(12))]
    assert forwards == backwards[::-1]
    assert len({tuple(b) for b in forwards}) == 12
    assert pipeline.train_batch(split, 16, 4, 0)['label'].tolist() != forwards[0]


def test_images_and_labels_stay_together():
    batch = pipeline.train_batch(coded(64), 16, 0, 2)
    np.testing.assert_array_equal(batch['images'][:, 0, 0, 0], batch['label'])


@pytest.mark.parametrize('batch_size', [1, 7, 10, 64])
def test_evaluation_counts_every_example_once(batch_size):
    batches = list(pipeline.eval_batches(coded(37), batch_size))
    assert {len(b['label']) for b in batches} == {batch_size}
    counted = np.concatenate([b['label'][b['valid'] > 0] for b in batches])
    assert counted.tolist() == list(range(37))


def test_evaluation_numbers_the_rows():
    batches = list(pipeline.eval_batches(coded(37), 10))
    rows = np.concatenate([b['row'] for b in batches])
    assert rows.dtype == np.int32 and rows.tolist() == [*range(37), -1, -1, -1]


@pytest.mark.parametrize('count', [1, 2, 4])
def test_the_shares_of_the_processes_are_the_batch(count):
    for split, name in ((coded(37), 'label'), (bucketed().read('train', ''), 'images')):
        whole = list(pipeline.train_batches(split, 8, 3, 1, 9))
        shares = [pipeline.train_batches(split, 8, 3, 1, 9, (process, count)) for process in range(count)]
        assert {len(batch[name]) for batch in whole} == {8}
        assert_same(joined(shares), whole)


def test_a_batch_is_of_one_bucket_and_every_bucket_comes():
    split = bucketed().read('train', '')
    assert split.steps(4) == 10  # 28 examples of the first size, 13 of the second
    for epoch in range(3):
        steps = range(epoch * 10, epoch * 10 + 10)
        shapes = [pipeline.train_batch(split, 4, 0, step)['images'].shape[1:] for step in steps]
        assert sorted(shapes) == [SHAPES[0]] * 7 + [SHAPES[1]] * 3


def test_a_batch_of_a_bucket_depends_on_seed_and_step_alone():
    forwards, backwards = bucketed().read('train', ''), bucketed().read('train', '')
    steps = range(20)
    expected = [pipeline.train_batch(forwards, 4, 5, step) for step in steps]
    assert_same([pipeline.train_batch(backwards, 4, 5, step) for step in reversed(steps)], expected[::-1])


@pytest.mark.parametrize('count', [1, 2, 4])
def test_every_bucket_is_evaluated_once_over_all_processes(count):
    split = bucketed().read('eval', '')
    shares = [list(pipeline.eval_batches(split, 8, (process, count))) for process in range(count)]
    batches = joined(shares)
    rows, valid = (np.concatenate([batch[name] for batch in batches]) for name in ('row', 'valid'))
    assert sorted(rows[valid > 0]) == list(range(22)) and set(rows[valid == 0]) == {-1}
    for batch in batches:
        there = batch['valid'] > 0
        expected = split.batch(batch['row'][there], None)
        assert_same([{name: batch[name][there] for name in expected}], [expected])


def test_an_order_is_asked_for_once_an_epoch(monkeypatch):
    split, asked = bucketed().read('train', ''), []
    original = BucketedSplit.order
    monkeypatch.setattr(BucketedSplit, 'order', lambda *args: asked.append(args[1:]) or original(*args))
    list(pipeline.train_batches(split, 4, 0, 0, 18))
    assert asked == [(0, 0, 4), (0, 1, 4)]


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('order', np.zeros((3, 8), int), r'BucketedSplit.order must return .* = \[4, 8\], not \[3, 8\]'),
        ('eval_order', (np.zeros((3, 8), int), np.ones((3, 8), bool)), 'each of its 41 rows as valid'),
        ('batch', {'images': np.zeros((8, 4, 4, 1), np.uint8)}, r'a batch has images uint8\[4, 4, 1\]'),
    ],
)  # fmt: skip
def test_a_split_that_breaks_its_contract_is_told_which_part(name, value, message, monkeypatch):
    split = bucketed().read('train', '')
    monkeypatch.setattr(BucketedSplit, name, lambda *args: value)
    with pytest.raises(DataError, match=message):
        list(pipeline.train_batches(split, 8, 0, 0, 1))
        list(pipeline.eval_batches(split, 8))
