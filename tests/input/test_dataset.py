import dataclasses

import jax
import numpy as np
import pytest

from resizemix_jax.datasets.fake import fake
from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import ImageSplit, bucket_of, image_arrays
from tests.bucketed import BUCKETS, SHAPES, bucketed


def images(size):
    label = np.arange(size, dtype=np.int32)
    return ImageSplit(np.zeros((size, 2, 3, 1), np.uint8), label)


def test_a_dataset_describes_its_batches():
    (batch,) = fake(image_shape=(6, 5, 3)).batches(8)
    assert batch['images'] == jax.ShapeDtypeStruct((8, 6, 5, 3), np.uint8)
    assert batch['label'] == jax.ShapeDtypeStruct((8,), np.int32)
    found = bucketed().batches(4)
    assert [batch['images'].shape for batch in found] == [(4, *shape) for shape in SHAPES]
    assert found[1]['boxes'] == jax.ShapeDtypeStruct((4, 5, 4), np.float32)


def test_a_split_is_read_by_its_name():
    dataset = bucketed(held_out_size=13)
    assert dataset.splits == ('train', 'held_out', 'eval') and dataset.read('held_out', '').size == 13
    with pytest.raises(DataError, match="bucketed has no split 'test'; it has: train, held_out, eval"):
        dataset.read('test', '')


def test_a_split_that_is_not_what_its_dataset_promises_is_refused():
    dataset = fake(image_shape=(6, 5, 3))._replace(reader=lambda split, data_dir: images(9))
    with pytest.raises(
        DataError, match=r"'eval' are images uint8\[2, 3, 1\], .* promises images uint8\[6, 5"
    ):
        dataset.read('eval', '')


def test_the_default_order_is_a_permutation_less_the_remainder():
    split = images(23)
    assert split.steps(4) == 5
    order = split.order(3, 1, 4)
    expected = np.random.default_rng((3, 1)).permutation(23)
    np.testing.assert_array_equal(order, expected[:20].reshape(5, 4))


def test_the_default_evaluation_order_is_filled_with_the_last_row():
    rows, valid = images(5).eval_order(4)
    assert rows.tolist() == [[0, 1, 2, 3], [4, 4, 4, 4]]
    assert valid.tolist() == [[True] * 4, [True, False, False, False]]


def test_an_image_split_gives_its_own_arrays():
    split = dataclasses.replace(images(5), names=('a', 'b'))
    batch = split.batch(np.array([4, 0]), (0, 0))
    assert split.names == ('a', 'b') and batch['label'].tolist() == [4, 0]
    assert bucket_of(batch, split.buckets) == 0 and split.buckets == image_arrays((2, 3, 1))


@pytest.mark.parametrize('name', ['images', 'boxes'])
def test_a_batch_of_no_bucket_is_refused(name):
    split = bucketed().read('train', '')
    batch = split.batch(np.array([2, 5]), None)
    assert bucket_of(batch, BUCKETS) == 1
    wrong = batch | {name: batch[name].astype(np.float64)}
    with pytest.raises(
        DataError, match=rf'a batch has .*{name} float64.*, and the buckets .* or images uint8'
    ):
        bucket_of(wrong, BUCKETS)
    del wrong[name]
    with pytest.raises(DataError, match='a batch has'):
        bucket_of(wrong, BUCKETS)
