import pathlib

import pytest

from resizemix_jax import train
from resizemix_jax.errors import ConfigError, local, nearest
from resizemix_jax.input import reading


def test_a_local_path_is_unchanged_but_for_the_home_directory(monkeypatch):
    monkeypatch.setenv('HOME', '/home/me')
    assert local('runs/a', '--workdir') == pathlib.Path('runs/a')
    assert local('~/a', '--workdir') == reading.data_directory('~/a') == pathlib.Path('/home/me/a')
    assert local('./~/a', '--workdir') == pathlib.Path('~/a')
    assert local('~nobody_of_that_name/a', '--workdir') == pathlib.Path('~nobody_of_that_name/a')


def test_an_address_is_refused(tmp_path, monkeypatch):
    """It would be a folder named 'gs:' beside the code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('TFDS_DATA_DIR', 'gs://bucket/data')
    for read in (
        lambda: local('gs://bucket/data', 'TFDS_DATA_DIR'),
        lambda: reading.data_directory(''),
    ):
        with pytest.raises(
            ConfigError, match='TFDS_DATA_DIR=gs://bucket/data is an address; name a directory'
        ):
            read()
    with pytest.raises(ConfigError, match='--config.data_dir=s3://bucket is an address; name a directory'):
        reading.data_directory('s3://bucket')
    with pytest.raises(ConfigError, match='--workdir=gs://bucket/run is an address'):
        train.train_and_evaluate(None, 'gs://bucket/run')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('word', 'found'),
    [
        ('cutmx', '; did you mean cutmix?'),
        ('CutMix', '; did you mean cutmix?'),
        ('cut-paste', '; did you mean cut_paste?'),
        ('zzz', ''),
        ('', ''),
    ],
)
def test_the_nearest_words(word, found):
    assert nearest(word, ('cutmix', 'cut_paste', 'mixup', 'zebra')) == found
