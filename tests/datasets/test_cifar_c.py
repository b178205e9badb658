import numpy as np
import pytest

from resizemix_jax.datasets.cifar_c import CLASSES, cifar_c
from resizemix_jax.errors import DataError


@pytest.fixture
def folder(tmp_path):
    images = np.arange(5 * 4, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    np.save(tmp_path / 'fog.npy', images)
    np.save(tmp_path / 'labels.npy', np.tile(np.array([3, 0, 9, 1], np.uint8), 5))
    return tmp_path


def test_severities_follow_each_other(folder):
    whole = cifar_c(source=str(folder), corruption='fog').read('eval', '')
    assert whole.size == 20 and whole.names == CLASSES and whole.files[0][0] == 'fog.npy'
    third = cifar_c(source=str(folder), corruption='fog', severity=3)
    assert third.sizes['eval'] == 4 and third.image_shape == (32, 32, 3)
    batch = third.read('eval', '').batch(np.array([0, 3]), None)
    assert batch['images'][:, 0, 0, 0].tolist() == [8, 11] and batch['label'].tolist() == [3, 1]
    assert batch['images'].dtype == np.uint8 and batch['label'].dtype == np.int32


def test_without_a_folder_it_is_that_of_tfds(tmp_path):
    dataset = cifar_c(source='', corruption='glass_blur', severity=2)
    with pytest.raises(DataError, match='prepare cifar10_corrupted/frosted_glass_blur_2 --data_dir='):
        dataset.read('eval', str(tmp_path))
    with pytest.raises(ValueError, match='severity=0 must be from 1 to 5'):
        cifar_c(source='')


def test_wrong_folders_are_refused(folder):
    with pytest.raises(DataError, match=r'there is no .*snow.npy; the folder has: fog, labels'):
        cifar_c(source=str(folder), corruption='snow')
    with pytest.raises(ValueError, match='num_classes=20 must be 10 or 100'):
        cifar_c(source=str(folder), corruption='fog', num_classes=20)
    with pytest.raises(ValueError, match="corruption='mist' must be one of"):
        cifar_c(source=str(folder), corruption='mist')
    for name, array, words in (
        ('labels', np.full(20, 11), 'labels in 11..11, not 0..9; CIFAR-100-C needs'),
        ('labels', np.zeros(19, int), r'has the shape \[19\], and fog.npy has 20 images'),
        ('fog', np.zeros((20, 32, 32)), r'holds float64\[20, 32, 32\], not uint8 images'),
    ):
        np.save(folder / f'{name}.npy', array)
        with pytest.raises(DataError, match=words):
            cifar_c(source=str(folder), corruption='fog')
    (folder / 'fog.npy').write_bytes(b'damaged')
    with pytest.raises(DataError, match='fog.npy cannot be read'):
        cifar_c(source=str(folder), corruption='fog')
