import numpy as np
import pytest

from resizemix_jax.datasets.fashion_mnist import fashion_mnist
from resizemix_jax.errors import DataError
from resizemix_jax.input import writing
from tests.input import directories


def test_a_short_training_has_the_first_of_every_class_and_the_whole_test_split(tmp_path):
    content = directories.write(tmp_path, 'fashion_mnist', {'train': 200, 'test': 30})
    images, label = content['train']
    dataset = fashion_mnist(train_size=20)
    assert dataset.sizes == {'train': 20, 'eval': 10_000}
    rows = np.sort(np.concatenate([np.flatnonzero(label == k)[:2] for k in range(10)]))
    part = dataset.read('train', str(tmp_path))
    np.testing.assert_array_equal(part.images, images[rows])
    np.testing.assert_array_equal(part.label, label[rows])
    assert dataset.read('eval', str(tmp_path)).size == 30


def test_a_class_with_fewer_is_refused(tmp_path):
    directories.write(tmp_path, 'fashion_mnist', {'train': 50, 'test': 10})
    with pytest.raises(DataError, match='has fewer than 10 training examples of a class, and train_size=100'):
        fashion_mnist(train_size=100).read('train', str(tmp_path))


@pytest.mark.parametrize('size', [0, 5, 60_010])
def test_an_unbalanced_part_is_refused(size):
    with pytest.raises(ValueError, match=f'train_size={size} must be a multiple of the 10 classes, from 10'):
        fashion_mnist(train_size=size)


def test_what_comes_after_the_part_is_not_decoded(tmp_path, monkeypatch):
    _, label = directories.write(tmp_path / 'whole', 'fashion_mnist', {'train': 100})['train']
    end = max(np.flatnonzero(label == k)[0] for k in range(10))
    encode, calls = writing.encode_png, []

    def damaged_from_there(image):
        calls.append(image)
        return b'damaged' if len(calls) > end + 1 else encode(image)

    monkeypatch.setattr(writing, 'encode_png', damaged_from_there)
    directories.write(tmp_path / 'part', 'fashion_mnist', {'train': 100})
    assert fashion_mnist(train_size=10).read('train', str(tmp_path / 'part')).size == 10
    with pytest.raises(DataError):
        fashion_mnist().read('train', str(tmp_path / 'part'))
