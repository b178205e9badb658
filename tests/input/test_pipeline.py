import numpy as np
import pytest

from resizemix_jax.input import pipeline
from resizemix_jax.input.dataset import ImageSplit


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
