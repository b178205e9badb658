"""What every dataset of the folder keeps to; a new file is tested by being there."""

import inspect
import re

import numpy as np
import pytest
import tensorflow_datasets as tfds

from resizemix_jax import find, prepare
from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import Dataset, Split
from tests.input import directories

NAMES = find.names('datasets')
# Those that are described without looking at their data.
KNOWN = [name for name in NAMES if not find.needs(find.find('datasets', name))]
SIZE = 40


def make(name, **provided):
    return find.bind('datasets', name, {}, **provided)()


def tfds_name(dataset, directory):
    """The dataset's name in TFDS, taken from the message for an empty directory; None if it needs no data."""
    try:
        dataset.read('train', str(directory))
    except DataError as error:
        return re.search(r'resizemix_jax\.prepare (\w+) --data_dir=', str(error))[1]
    return None


@pytest.mark.parametrize('name', NAMES)
def test_it_is_a_function_of_keywords_that_is_documented(name):
    function = find.find('datasets', name)
    parameters = inspect.signature(function).parameters.values()
    assert {p.kind for p in parameters} <= {inspect.Parameter.KEYWORD_ONLY}
    assert set(find.needs(function)) <= {'source', 'data_dir'}
    for parameter in parameters:
        assert parameter.name in function.__doc__, parameter.name


@pytest.mark.parametrize('name', KNOWN)
def test_it_describes_itself_without_its_data(name):
    dataset = make(name)
    assert isinstance(dataset, Dataset) and dataset.name == name
    assert {'train', 'eval'} <= set(dataset.splits) and min(dataset.sizes.values()) > 0
    assert len(dataset.mean) == len(dataset.std) == dataset.image_shape[-1]
    for batch in dataset.batches(8):
        assert {leaf.shape[0] for leaf in batch.values()} == {8} and 'images' in batch


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.slow
def test_missing_data_is_an_error_with_a_remedy(name, tmp_path):
    try:
        split = make(name, source='nowhere', data_dir=str(tmp_path)).read('train', str(tmp_path))
    except DataError as error:
        assert str(tmp_path) in str(error) or 'nowhere' in str(error)
    else:
        assert isinstance(split, Split) and split.size > 0


@pytest.mark.parametrize('name', KNOWN)
@pytest.mark.slow
def test_its_splits_are_as_it_describes_them(name, tmp_path, capsys):
    dataset = make(name)
    source = tfds_name(dataset, tmp_path / 'empty')
    if source:
        directories.write(tmp_path, source, {split: SIZE for split in ('train', 'test', 'validation')})
        info = tfds.builder(source, data_dir=str(tmp_path)).info
        assert info.features['label'].num_classes == dataset.num_classes
    for name in dataset.splits:
        split = dataset.read(name, str(tmp_path))
        assert split.size == (SIZE if source else dataset.sizes[name])
        batch = split.batch(np.arange(4), None)
        assert {key: (array.shape, array.dtype) for key, array in batch.items()} == {
            key: (leaf.shape, leaf.dtype) for key, leaf in dataset.batches(4)[0].items()
        }
        assert 0 <= batch['label'].min() <= batch['label'].max() < dataset.num_classes
        assert len(split.names) in (0, dataset.num_classes)
    if source:  # the command of the message finds it
        assert prepare.main([source, f'--data_dir={tmp_path}']) == 0
        assert f'{source} is in {tmp_path}' in capsys.readouterr().out
