import pathlib

import pytest

from resizemix_jax import build
from resizemix_jax.datasets.fashion_mnist_10k import fashion_mnist_10k
from resizemix_jax.datasets.folder import folder
from resizemix_jax.errors import ConfigError
from resizemix_jax.run import identity
from tests import tiny
from tests.input import miniature


def test_the_commit_is_of_the_package_s_own_work_tree(tmp_path):
    here = pathlib.Path(identity.__file__).parents[1]
    commit, dirty = identity._commit(here)
    assert (commit is None and dirty is None) or (len(commit) == 40 and dirty in (True, False))
    assert identity._commit(tmp_path) == (None, None)
    assert identity._commit(tmp_path / 'absent') == (None, None)


def test_identity_says_what_ran():
    row = identity.collect(build.plan(tiny.config()).devices)
    assert set(row['versions']) == {'resizemix_jax', 'python', 'jax', 'jaxlib', 'flax', 'optax'}
    assert all(row['versions'].values()) and row['date'].endswith('+00:00') and row['host'] and row['command']


class Data:
    size, names, files = 3, ('cat', 'dog'), ()


def test_a_fingerprint_without_files_compares_sizes_and_classes():
    now = identity.fingerprint(Data)
    assert (now['size'], now['classes'], now['bytes'], now['files']) == (3, 2, None, None)
    identity.check_data({'train': now}, {'train': now | {'bytes': 5, 'files': 'x'}, 'eval': now})
    with pytest.raises(ConfigError, match="size of 'train' was 3 and is 4"):
        identity.check_data({'train': now}, {'train': now | {'size': 4}})


def with_names(*names):
    return {'train': identity.fingerprint(type('Named', (Data,), {'names': names}))}


@pytest.mark.parametrize(
    ('before', 'after', 'message'),
    [
        (('cat', 'dog'), ('.ipynb', 'cat', 'dog'), r"were 2 and are 3 \(new: '.ipynb'\)"),
        (('cat', 'dog'), ('cow', 'dog'), r"were 2 and are 2 \(gone: 'cat'; new: 'cow'\)"),
        (('cat', 'dog'), ('dog', 'cat'), r'were 2 and are 2 \(their order\)'),
        (tuple('abcdefgh'), ('a',), r"were 8 and are 1 \(gone: 'b', 'c', 'd', 'e', 'f', ...\)"),
    ],
)
def test_classes_that_changed_are_named(before, after, message):
    identity.check_data(with_names(*before), with_names(*before))
    with pytest.raises(ConfigError, match=f"the classes of 'train' {message}, so the labels have another"):
        identity.check_data(with_names(*before), with_names(*after))


def test_many_classes_are_compared_by_their_digest():
    many = tuple(map(str, range(1001)))
    assert with_names(*many)['train']['names'] is None
    with pytest.raises(ConfigError, match="class_names of 'train' was"):
        identity.check_data(with_names(*many), with_names(*many[::-1]))


def test_a_fingerprint_without_names_is_that_of_an_older_run():
    old = {'train': {k: v for k, v in with_names('cat', 'dog')['train'].items() if k != 'names'}}
    identity.check_data(old, with_names('cat', 'dog'))
    with pytest.raises(ConfigError, match="class_names of 'train' was"):
        identity.check_data(old, with_names('cat', 'cow'))


def test_a_changed_file_is_other_data(tmp_path):
    miniature.write_folders(tmp_path)
    before = _fingerprint(tmp_path)
    assert before['bytes'] == sum(f.stat().st_size for f in (tmp_path / 'train').rglob('*.*'))
    file = next((tmp_path / 'train/class1').iterdir())
    file.write_bytes(file.read_bytes() + b'!')
    with pytest.raises(ConfigError, match="bytes of 'train' was"):
        identity.check_data({'train': before}, {'train': _fingerprint(tmp_path)})
    file.write_bytes(file.read_bytes()[:-1])
    file.rename(file.with_stem('renamed'))
    with pytest.raises(ConfigError, match="files of 'train' was"):
        identity.check_data({'train': before}, {'train': _fingerprint(tmp_path)})


def _fingerprint(directory):
    return identity.fingerprint(folder(source=str(directory)).read('train', ''))


@pytest.mark.slow
def test_every_dataset_that_reads_files_names_them():
    split = fashion_mnist_10k(train_size=20).read('train', '')
    now = identity.fingerprint(split)
    assert now['size'] == 20 and now['bytes'] > 1_000_000 and now['files']
