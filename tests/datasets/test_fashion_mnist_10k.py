import pathlib

import numpy as np
import pytest

import resizemix_jax
from resizemix_jax.datasets.fashion_mnist_10k import fashion_mnist_10k
from tests.datasets import embed


@pytest.mark.parametrize(('split', 'size'), [('train', 10_000), ('eval', 2_000)])
@pytest.mark.slow
def test_the_embedded_dataset_is_real_and_balanced(split, size):
    dataset = fashion_mnist_10k()
    found = dataset.read(split, '/nowhere')
    images, label, names = found.images, found.label, found.names
    assert names[0] == 'T-shirt/top' and len(names) == 10
    assert images.shape == (size, 28, 28, 1)
    assert np.bincount(label).tolist() == [size // 10] * 10
    # the published statistics of Fashion-MNIST
    assert images.mean() / 255 == pytest.approx(dataset.mean[0], abs=0.005)
    assert images.std() / 255 == pytest.approx(dataset.std[0], abs=0.005)


@pytest.mark.parametrize('size', [10, 500])
@pytest.mark.slow
def test_a_part_of_it_is_the_first_images_of_every_class(size):
    dataset = fashion_mnist_10k(train_size=size)
    whole, part = (d.read('train', '') for d in (fashion_mnist_10k(), dataset))
    assert dataset.sizes['train'] == size and len(part.label) == size
    for k in range(10):
        images = whole.images[whole.label == k][: size // 10]
        np.testing.assert_array_equal(part.images[part.label == k], images)
    # in the order of the files, so that no batch of an unshuffled epoch is of one class
    places = [np.flatnonzero((whole.images == image).all(axis=(1, 2, 3)))[0] for image in part.images[:10]]
    assert places == sorted(places) and part.names == whole.names
    assert len(dataset.read('eval', '').label) == 2000


@pytest.mark.slow
def test_enlarged_pixels_are_the_nearest_ones():
    plain, large = (
        fashion_mnist_10k(train_size=10, **k).read('train', '') for k in ({}, dict(image_size=64))
    )
    assert large.images.shape == (10, 64, 64, 1)
    assert np.array_equal(large.images[3, 63, 40], plain.images[3, 27, 17])
    assert np.array_equal(large.label, plain.label)
    with pytest.raises(ValueError, match='dataset_args.image_size=27'):
        fashion_mnist_10k(image_size=27)


@pytest.mark.parametrize('size', [0, -10, 5, 505, 10_010])
def test_an_unbalanced_part_is_refused(size):
    with pytest.raises(ValueError, match=f'train_size={size} must be a multiple of the 10 classes, from 10'):
        fashion_mnist_10k(train_size=size)


def test_the_files_are_small_and_licensed():
    root = pathlib.Path(resizemix_jax.__file__).parent / 'datasets' / 'embedded'
    assert sum(f.stat().st_size for f in root.rglob('*') if f.is_file()) <= 8_000_000
    assert 'MIT License' in next(root.rglob('LICENSE')).read_text()


def test_the_script_takes_the_first_images_of_every_class():
    labels = np.tile(np.arange(10), 5)
    assert embed.balanced(labels, 2).tolist() == list(range(20))
