import pathlib

import numpy as np
import pytest

import resizemix_jax
from resizemix_jax.errors import DataError
from resizemix_jax.find import find, names


@pytest.mark.parametrize(
    ('name', 'shape', 'classes', 'train', 'evaluation'),
    [
        ('cifar10', (32, 32, 3), 10, 50_000, 10_000),
        ('cifar100', (32, 32, 3), 100, 50_000, 10_000),
        ('fashion_mnist', (28, 28, 1), 10, 60_000, 10_000),
        ('fashion_mnist_10k', (28, 28, 1), 10, 10_000, 2_000),
        ('imagenet', (224, 224, 3), 1000, 1_281_167, 50_000),
    ],
)
def test_what_is_known_unopened(name, shape, classes, train, evaluation):
    dataset = find('data', name)()
    assert (dataset.name, dataset.image_shape, dataset.num_classes) == (name, shape, classes)
    assert (dataset.train_size, dataset.eval_size) == (train, evaluation)
    assert len(dataset.mean) == len(dataset.std) == shape[2]


def test_all_datasets_are_known():
    assert set(names('data')) == {
        'cifar10', 'cifar100', 'fashion_mnist', 'fashion_mnist_10k', 'imagenet', 'fake', 'generated',
    }  # fmt: skip


@pytest.mark.parametrize(('split', 'size'), [('train', 10_000), ('eval', 2_000)])
def test_the_embedded_dataset_is_real_and_balanced(split, size):
    dataset = find('data', 'fashion_mnist_10k')()
    images, label, names = dataset.read(split, '/nowhere')
    assert names[0] == 'T-shirt/top' and len(names) == 10
    assert images.shape == (size, 28, 28, 1)
    assert np.bincount(label).tolist() == [size // 10] * 10
    # the published statistics of Fashion-MNIST
    assert images.mean() / 255 == pytest.approx(dataset.mean[0], abs=0.005)
    assert images.std() / 255 == pytest.approx(dataset.std[0], abs=0.005)


@pytest.mark.parametrize('size', [10, 500])
def test_a_part_of_the_embedded_dataset_is_the_first_of_every_class(size):
    dataset = find('data', 'fashion_mnist_10k')(train_size=size)
    whole, part = (d.read('train', '') for d in (find('data', 'fashion_mnist_10k')(), dataset))
    assert dataset.train_size == size and len(part.label) == size
    for k in range(10):
        images = whole.images[whole.label == k][: size // 10]
        np.testing.assert_array_equal(part.images[part.label == k], images)
    # in the order of the files, so that no batch of an unshuffled epoch is of one class
    places = [np.flatnonzero((whole.images == image).all(axis=(1, 2, 3)))[0] for image in part.images[:10]]
    assert places == sorted(places) and part.names == whole.names
    assert len(dataset.read('eval', '').label) == 2000


@pytest.mark.parametrize('size', [0, -10, 5, 505, 10_010])
def test_a_part_that_is_not_balanced_is_refused(size):
    with pytest.raises(ValueError, match=f'train_size={size} must be a multiple of the 10 classes, from 10'):
        find('data', 'fashion_mnist_10k')(train_size=size)


def test_the_embedded_dataset_is_small_and_licensed():
    root = pathlib.Path(resizemix_jax.__file__).parent / 'data' / 'embedded'
    assert sum(f.stat().st_size for f in root.rglob('*') if f.is_file()) <= 8_000_000
    assert 'MIT License' in next(root.rglob('LICENSE')).read_text()


def test_fake_images_have_any_shape_and_are_always_the_same():
    dataset = find('data', 'fake')(image_shape=(9, 7, 2), num_classes=3, train_size=11, eval_size=5)
    first, again, evaluation = (dataset.read(split, '') for split in ('train', 'train', 'eval'))
    assert first.images.shape == (11, 9, 7, 2) and set(first.label) <= {0, 1, 2}
    np.testing.assert_array_equal(first.images, again.images)
    assert evaluation.images.shape == (5, 9, 7, 2)
    for keywords in ({'image_shape': (3, 3)}, {'num_classes': 0}, {'train_size': 0}):
        with pytest.raises(ValueError, match=r'must be (\(height|>= 1)'):
            find('data', 'fake')(**keywords)


def test_imagenet_says_that_it_cannot_be_read_yet():
    with pytest.raises(DataError, match='not built yet.*configs/fake.py'):
        find('data', 'imagenet')().read('train', '')
