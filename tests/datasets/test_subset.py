import numpy as np
import pytest

from resizemix_jax.datasets._subset import first_of_every_class
from resizemix_jax.datasets.fashion_mnist import fashion_mnist
from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import ImageSplit
from tests.input import directories


def split_of(label):
    images = np.arange(len(label), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return ImageSplit(images, np.array(label, np.int32), ('a', 'b', 'c'), ())


def test_the_first_of_every_class_in_their_order():
    part = first_of_every_class(split_of([2, 0, 0, 1, 2, 1, 0, 2, 1]), 2)
    assert part.images.ravel().tolist() == [0, 1, 2, 3, 4, 5]
    assert part.label.tolist() == [2, 0, 0, 1, 2, 1] and part.names == ('a', 'b', 'c')


def test_a_class_with_fewer_is_refused():
    with pytest.raises(DataError, match='a class has fewer than the 2 training examples'):
        first_of_every_class(split_of([0, 0, 1, 2, 2]), 2)


def test_a_short_training_keeps_the_whole_test_split(tmp_path):
    content = directories.write(tmp_path, 'fashion_mnist', {'train': 200, 'test': 30})
    dataset = fashion_mnist(train_size=10)
    assert dataset.sizes == {'train': 10, 'eval': 10_000}
    part = dataset.read('train', str(tmp_path))
    assert part.label.tolist() == [content['train'][1][i] for i in first_places(content['train'][1])]
    assert dataset.read('eval', str(tmp_path)).size == 30


def first_places(label):
    return sorted(np.flatnonzero(label == k)[0] for k in range(10))


@pytest.mark.parametrize('size', [5, 60_010])
def test_an_unbalanced_part_is_refused(size):
    with pytest.raises(ValueError, match=f'train_size={size} must be a multiple of the 10 classes, from 10'):
        fashion_mnist(train_size=size)
