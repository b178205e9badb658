import numpy as np
import pytest
import tensorflow_datasets

from resizemix_jax.datasets.imagenet import imagenet
from resizemix_jax.datasets.tfds import tfds
from resizemix_jax.errors import DataError
from resizemix_jax.input import writing
from tests.input import miniature

FEATURES = tensorflow_datasets.features


def write(directory, name, splits):
    """Writes a set of tiny pictures of three classes."""
    features = {'image': FEATURES.Image(), 'label': FEATURES.ClassLabel(names=['ant', 'bee', 'cat'])}
    data = miniature.encode(miniature.pixels(20, 30, 0))
    content = {split: [{'image': data, 'label': i % 3} for i in range(n)] for split, n in splits.items()}
    writing.write(directory, name, '1.0.0', FEATURES.FeaturesDict(features), content)


def test_a_dataset_is_described_by_its_directory(tmp_path):
    write(tmp_path, 'insects', {'train': 7, 'test': 4, 'validation': 5})
    dataset = tfds(source='insects', image_size=16, data_dir=str(tmp_path))
    assert (dataset.name, dataset.image_shape, dataset.num_classes) == ('tfds:insects', (16, 16, 3), 3)
    assert (dataset.sizes, dataset.streamed) == ({'train': 7, 'eval': 5}, True)
    split = dataset.read('eval', str(tmp_path))
    assert split.size == 5 and split.names == ('ant', 'bee', 'cat')
    assert split.batch(np.arange(5), None)['label'].tolist() == [0, 1, 2, 0, 1]
    other = tfds(source='insects:test:train', data_dir=str(tmp_path))
    assert other.sizes == {'train': 4, 'eval': 7}


@pytest.mark.parametrize('source', ['', ':a:b', 'insects:train', '../insects'])
def test_another_form_of_source_is_refused(source, tmp_path):
    with pytest.raises(ValueError, match='must be tfds:NAME or tfds:NAME:TRAIN:EVAL'):
        tfds(source=source, data_dir=str(tmp_path))


def test_a_missing_split_is_an_error(tmp_path):
    write(tmp_path, 'insects', {'train': 7})
    message = "has no split 'test'; it has train. Choose two with --config.dataset=tfds:"
    with pytest.raises(DataError, match=message):
        tfds(source='insects', data_dir=str(tmp_path))


def test_a_dataset_without_class_labels_is_an_error(tmp_path):
    features = FEATURES.FeaturesDict({'image': FEATURES.Image(), 'boxes': FEATURES.Text()})
    data = miniature.encode(miniature.pixels(20, 30, 0))
    splits = {split: [{'image': data, 'boxes': ''}] for split in ('train', 'test')}
    writing.write(tmp_path, 'boxes', '1.0.0', features, splits)
    message = r'expected an image feature and a class label or integer; found boxes \(Text\), image \(Image\)'
    with pytest.raises(DataError, match=message):
        tfds(source='boxes', data_dir=str(tmp_path))


def test_another_number_of_classes_is_an_error(tmp_path):
    write(tmp_path, 'imagenet2012', {'train': 4})
    with pytest.raises(DataError, match='has 3 classes, not 1000'):
        imagenet().read('train', str(tmp_path))
