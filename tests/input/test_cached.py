import logging
import os

import numpy as np
import pytest

from resizemix_jax.input import cached


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(cached, 'CACHE', str(tmp_path / 'cache'))
    path = tmp_path / 'data' / 'file'
    path.parent.mkdir()
    path.write_bytes(b'content')
    return path


def get(file, calls, check=lambda found: None):
    def make():
        calls.append(1)
        return {'a': np.arange(len(calls) + 2)}

    return cached.arrays([file], 'numbers', 'index', make, check)['a'].tolist()


def test_they_are_made_once_and_again_when_the_file_changes(file, caplog):
    caplog.set_level(logging.INFO, 'resizemix_jax')
    calls = []
    assert get(file, calls) == get(file, calls) == [0, 1, 2]
    (kept,) = file.parent.glob('numbers.*.npz')
    assert f'Cached the index in {kept}' in caplog.text
    os.utime(file, ns=(1, 1))
    assert get(file, calls) == [0, 1, 2, 3]


def test_what_does_not_fit_or_is_damaged_is_made_again(file, caplog):
    calls = []
    get(file, calls)
    (kept,) = file.parent.glob('numbers.*.npz')

    def refuse(found):
        raise ValueError('it is of other files')

    assert len(get(file, calls, refuse)) == 4
    assert f'The index {kept} cannot be used and is rebuilt: it is of other files' in caplog.text
    kept.write_bytes(kept.read_bytes()[:50])
    assert len(get(file, calls)) == 5 and len(get(file, calls)) == 5


def test_the_cache_directory_is_the_second_place_and_none_is_a_warning(file, tmp_path, caplog, monkeypatch):
    calls, replace = [], os.replace

    def only(place):
        def refuse(part, target):
            if not str(target).startswith(str(place)):
                raise OSError('read-only')
            replace(part, target)

        return refuse

    monkeypatch.setattr(os, 'replace', only(tmp_path / 'cache'))
    assert len(get(file, calls)) == len(get(file, calls)) == 3
    assert not list(file.parent.glob('*.npz')) and list((tmp_path / 'cache').glob('numbers.*.npz'))
    os.utime(file, ns=(1, 1))
    monkeypatch.setattr(os, 'replace', only('/nowhere'))
    get(file, calls)
    assert f'Could not cache the index in {file.parent}; it will be rebuilt next time' in caplog.text
