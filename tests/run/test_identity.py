import pathlib

import pytest

from resizemix_jax import build
from resizemix_jax.errors import ConfigError
from resizemix_jax.run import identity
from tests import tiny


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
    size, names = 3, ('cat', 'dog')


def test_a_fingerprint_without_files_compares_sizes_and_classes():
    now = identity.fingerprint(Data)
    assert (now['size'], now['classes'], now['bytes'], now['files']) == (3, 2, None, None)
    identity.check_data({'train': now}, {'train': now | {'bytes': 5, 'files': 'x'}, 'eval': now})
    with pytest.raises(ConfigError, match="size of 'train' was 3 and is 4"):
        identity.check_data({'train': now}, {'train': now | {'size': 4}})
