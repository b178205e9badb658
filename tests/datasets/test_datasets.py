import functools
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds

import resizemix_jax
from resizemix_jax.errors import DataError
from resizemix_jax.find import find, names
from resizemix_jax.input import writing
from tests.input import miniature


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
    dataset = find('datasets', name)()
    assert (dataset.name, dataset.image_shape, dataset.num_classes) == (name, shape, classes)
    assert dataset.sizes == {'train': train, 'eval': evaluation}
    assert len(dataset.mean) == len(dataset.std) == shape[2]


def test_all_datasets_are_known():
    assert set(names('datasets')) == {
        'cifar10', 'cifar100', 'fashion_mnist', 'fashion_mnist_10k', 'imagenet', 'fake', 'generated', 'tfds',
        'folder',
    }  # fmt: skip


@pytest.mark.parametrize(('split', 'size'), [('train', 10_000), ('eval', 2_000)])
def test_the_embedded_dataset_is_real_and_balanced(split, size):
    dataset = find('datasets', 'fashion_mnist_10k')()
    found = dataset.read(split, '/nowhere')
    images, label, names = found.images, found.label, found.names
    assert names[0] == 'T-shirt/top' and len(names) == 10
    assert images.shape == (size, 28, 28, 1)
    assert np.bincount(label).tolist() == [size // 10] * 10
    # the published statistics of Fashion-MNIST
    assert images.mean() / 255 == pytest.approx(dataset.mean[0], abs=0.005)
    assert images.std() / 255 == pytest.approx(dataset.std[0], abs=0.005)


@pytest.mark.parametrize('size', [10, 500])
def test_a_part_of_the_embedded_dataset_is_the_first_of_every_class(size):
    dataset = find('datasets', 'fashion_mnist_10k')(train_size=size)
    whole, part = (d.read('train', '') for d in (find('datasets', 'fashion_mnist_10k')(), dataset))
    assert dataset.sizes['train'] == size and len(part.label) == size
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
        find('datasets', 'fashion_mnist_10k')(train_size=size)


def test_the_embedded_dataset_is_small_and_licensed():
    root = pathlib.Path(resizemix_jax.__file__).parent / 'datasets' / 'embedded'
    assert sum(f.stat().st_size for f in root.rglob('*') if f.is_file()) <= 8_000_000
    assert 'MIT License' in next(root.rglob('LICENSE')).read_text()


def test_fake_images_have_any_shape_and_are_always_the_same():
    dataset = find('datasets', 'fake')(image_shape=(9, 7, 2), num_classes=3, train_size=11, eval_size=5)
    first, again, evaluation = (dataset.read(split, '') for split in ('train', 'train', 'eval'))
    assert first.images.shape == (11, 9, 7, 2) and set(first.label) <= {0, 1, 2}
    np.testing.assert_array_equal(first.images, again.images)
    assert evaluation.images.shape == (5, 9, 7, 2)
    for keywords in ({'image_shape': (3, 3)}, {'num_classes': 0}, {'train_size': 0}):
        with pytest.raises(ValueError, match=r'must be (\(height|>= 1)'):
            find('datasets', 'fake')(**keywords)


def tfds_set(directory, name, splits, **features):
    """Writes a set of tiny pictures of three classes."""
    label = tfds.features.ClassLabel(names=['ant', 'bee', 'cat'])
    spec = {'image': tfds.features.Image(), 'label': label} | features
    data = miniature.encode(miniature.pixels(20, 30, 0))
    content = {split: [{'image': data, 'label': i % 3} for i in range(n)] for split, n in splits.items()}
    writing.write(directory, name, '1.0.0', tfds.features.FeaturesDict(spec), content)


def test_any_set_of_tfds_is_known_by_its_directory(tmp_path):
    tfds_set(tmp_path, 'insects', {'train': 7, 'test': 4, 'validation': 5})
    dataset = find('datasets', 'tfds')(source='insects', image_size=16, data_dir=str(tmp_path))
    assert (dataset.name, dataset.image_shape, dataset.num_classes) == ('tfds:insects', (16, 16, 3), 3)
    assert (dataset.sizes, dataset.streamed) == ({'train': 7, 'eval': 5}, True)
    split = dataset.read('eval', str(tmp_path))
    assert split.size == 5 and split.names == ('ant', 'bee', 'cat')
    assert split.batch(np.arange(5), None)['label'].tolist() == [0, 1, 2, 0, 1]
    other = find('datasets', 'tfds')(source='insects:test:train', data_dir=str(tmp_path))
    assert other.sizes == {'train': 4, 'eval': 7}


def test_what_is_no_such_set_is_told(tmp_path):
    tfds_set(tmp_path, 'insects', {'train': 7})
    make = find('datasets', 'tfds')
    for source in ('', ':a:b', 'insects:train', '../insects'):
        with pytest.raises(ValueError, match='must be tfds:NAME or tfds:NAME:TRAIN:EVAL'):
            make(source=source, data_dir=str(tmp_path))
    with pytest.raises(
        DataError, match="has no split 'test'; it has train. Choose two with --config.dataset=tfds:"
    ):
        make(source='insects', data_dir=str(tmp_path))
    with pytest.raises(DataError, match='prepare food101 --data_dir='):
        make(source='food101', data_dir=str(tmp_path))
    features = tfds.features.FeaturesDict({'image': tfds.features.Image(), 'boxes': tfds.features.Text()})
    data = miniature.encode(miniature.pixels(20, 30, 0))
    splits = {split: [{'image': data, 'boxes': ''}] for split in ('train', 'test')}
    writing.write(tmp_path, 'boxes', '1.0.0', features, splits)
    with pytest.raises(DataError, match=r"no images with a label each, but \['boxes', 'image'\]"):
        make(source='boxes', data_dir=str(tmp_path))


def test_another_number_of_classes_is_told(tmp_path):
    tfds_set(tmp_path, 'imagenet2012', {'train': 4})
    with pytest.raises(DataError, match='has 3 classes, not 1000'):
        find('datasets', 'imagenet')().read('train', str(tmp_path))


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'image_size': 0}, 'image_size=0 must be >= 1'),
        ({'eval_resize': 200}, 'eval_resize=200 must be >= image_size=224, or 0'),
        ({'resize': 'cubic'}, "resize='cubic' must be one of: linear, area"),
        ({'max_damaged': 1.0}, 'max_damaged=1.0 must be >= 0 and < 1'),
    ],
)
def test_what_cannot_be_streamed_is_told(values, message, tmp_path):
    miniature.write_folders(tmp_path)
    for make in (
        find('datasets', 'imagenet'),
        functools.partial(find('datasets', 'folder'), source=str(tmp_path)),
    ):
        with pytest.raises(ValueError, match=message):
            make(**values)


def test_folders_are_classes(tmp_path):
    miniature.write_folders(tmp_path / 'a')
    dataset = find('datasets', 'folder')(source=str(tmp_path / 'a'))
    assert (dataset.sizes, dataset.num_classes) == ({'train': 41, 'eval': 23}, 4)
    (tmp_path / 'a/validation').rename(tmp_path / 'a/val')
    (tmp_path / 'a/train/class0/notes.txt').write_text('no picture')
    assert find('datasets', 'folder')(source=str(tmp_path / 'a')).read('eval', '').size == 23
    shutil.rmtree(tmp_path / 'a/val/class2')  # not every class has to be evaluated
    split = find('datasets', 'folder')(source=str(tmp_path / 'a'), image_size=16).read('eval', '')
    assert set(split.batch(np.arange(split.size), None)['label']) == {0, 1, 3}


def test_other_folders_are_refused_with_the_remedy(tmp_path):
    make = find('datasets', 'folder')
    with pytest.raises(ValueError, match='--config.dataset=folder:/path'):
        make()
    with pytest.raises(DataError, match='there is no such directory'):
        make(source=str(tmp_path / 'none'))
    (tmp_path / 'cats').mkdir()
    with pytest.raises(DataError, match='has no folder train, and (.|\n)*/train/CLASS/'):
        make(source=str(tmp_path))
    (tmp_path / 'train').mkdir()
    with pytest.raises(DataError, match='has train and none of val, validation, test'):
        make(source=str(tmp_path))
    (tmp_path / 'val').mkdir()
    with pytest.raises(DataError, match='train has no folder, and each of its folders is a class'):
        make(source=str(tmp_path))
    (tmp_path / 'train/dogs').mkdir()
    (tmp_path / 'val/cats').mkdir()
    with pytest.raises(DataError, match="has the class 'cats', .*train not"):
        make(source=str(tmp_path))
    (tmp_path / 'train/cats').mkdir()
    with pytest.raises(DataError, match='train holds no pictures'):
        make(source=str(tmp_path))
