import shutil

import numpy as np
import pytest

from resizemix_jax.datasets.folder import folder
from resizemix_jax.errors import DataError
from tests.input import miniature


def test_folders_are_classes(tmp_path):
    miniature.write_folders(tmp_path / 'a')
    dataset = folder(source=str(tmp_path / 'a'))
    assert (dataset.sizes, dataset.num_classes) == ({'train': 41, 'eval': 23}, 4)
    (tmp_path / 'a/validation').rename(tmp_path / 'a/val')
    (tmp_path / 'a/train/class0/notes.txt').write_text('no picture')
    assert folder(source=str(tmp_path / 'a')).read('eval', '').size == 23
    shutil.rmtree(tmp_path / 'a/val/class2')  # not every class has to be evaluated
    split = folder(source=str(tmp_path / 'a'), image_size=16).read('eval', '')
    assert set(split.batch(np.arange(split.size), None)['label']) == {0, 1, 3}


def test_other_folders_are_refused_with_the_remedy(tmp_path):
    def refused(message, source=tmp_path):
        with pytest.raises(DataError, match=message):
            folder(source=str(source))

    with pytest.raises(ValueError, match='--config.dataset=folder:/path'):
        folder(source='')
    refused('there is no such directory', tmp_path / 'none')
    (tmp_path / 'cats').mkdir()
    refused('has no folder train. Create .*/train/CLASS/')
    (tmp_path / 'train').mkdir()
    refused('has train but none of val, validation, test. Create .*/val/CLASS/')
    (tmp_path / 'val').mkdir()
    refused('train has no folders. Each folder in it is a class: create .*/train/CLASS/')
    (tmp_path / 'train/dogs').mkdir()
    (tmp_path / 'val/cats').mkdir()
    refused("class 'cats' is in val but not in train. Rename or move its folder")
    (tmp_path / 'train/cats').mkdir()
    refused('the class folders of .*train hold no pictures')
