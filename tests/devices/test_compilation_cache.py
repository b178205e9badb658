import logging
import os
import stat

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache as cache

from resizemix_jax.devices import compilation_cache
from resizemix_jax.errors import ConfigError

SETTINGS = (
    'jax_compilation_cache_dir',
    'jax_persistent_cache_min_compile_time_secs',
    'jax_enable_compilation_cache',
)


@pytest.fixture
def restored(monkeypatch):
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    jax.config.update(SETTINGS[1], 0)  # JAX keeps what took long to compile; here, everything
    monkeypatch.delenv('JAX_COMPILATION_CACHE_DIR', raising=False)
    monkeypatch.delenv('XDG_CACHE_HOME', raising=False)
    yield before
    for name, value in before.items():
        jax.config.update(name, value)
    cache.reset_cache()


@pytest.fixture
def home(restored, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    return tmp_path


def used():
    return jax.config.jax_compilation_cache_dir


def test_what_was_compiled_lies_in_the_home_directory_and_is_the_user_s_alone(home):
    compilation_cache.use()
    cache.reset_cache()
    jax.jit(lambda x: jnp.sort(x @ x.T))(jnp.ones((37, 37))).block_until_ready()
    made = home / '.cache/resizemix_jax/compiled'
    assert list(made.glob('*'))
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in (made, made.parent, made.parent.parent))


def test_the_usual_place_of_caches_is_honoured(restored, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'caches'))
    compilation_cache.use()
    assert used() == str(tmp_path / 'caches/resizemix_jax/compiled')


@pytest.mark.parametrize('part', ['', '.cache', '.cache/resizemix_jax', '.cache/resizemix_jax/compiled'])
@pytest.mark.parametrize('mode', [0o770, 0o707])
def test_where_another_user_could_write_nothing_is_cached_and_that_is_logged(part, mode, home, caplog):
    compilation_cache.use()
    (home / part).chmod(mode)
    with caplog.at_level(logging.WARNING):
        compilation_cache.use()
    assert used() is None
    assert f'Programs are not cached: other users can write {(home / part).resolve()}' in caplog.text


def test_a_directory_such_as_tmp_may_stand_above(home):
    home.chmod(0o1777)
    compilation_cache.use()
    assert used() == str(home / '.cache/resizemix_jax/compiled')


@pytest.mark.skipif(os.getuid() != 0, reason='only root can give a directory away')
def test_a_directory_of_another_user_is_not_used(home, caplog):
    theirs = home / '.cache/resizemix_jax/compiled'
    theirs.mkdir(parents=True)
    os.chown(theirs, 12345, 12345)
    with caplog.at_level(logging.WARNING):
        compilation_cache.use()
    assert used() is None and f'{theirs} belongs to another user (uid 12345)' in caplog.text


def test_a_link_is_followed_before_its_end_is_checked(home, caplog):
    shared = home / 'shared'
    shared.mkdir()
    shared.chmod(0o777)
    (home / '.cache').symlink_to(shared)
    compilation_cache.use()
    assert used() is None and f'other users can write {shared}' in caplog.text


def test_a_directory_that_the_environment_names_is_used_or_refused(home, monkeypatch):
    monkeypatch.setenv('JAX_COMPILATION_CACHE_DIR', str(home / 'mine'))
    compilation_cache.use()
    assert used() == str(home / 'mine')
    (home / 'mine').chmod(0o777)
    with pytest.raises(ConfigError, match=f'JAX_COMPILATION_CACHE_DIR={home}/mine: other users can write'):
        compilation_cache.use()
    (home / 'file').touch()
    monkeypatch.setenv('JAX_COMPILATION_CACHE_DIR', str(home / 'file/x'))
    with pytest.raises(ConfigError, match='Not a directory'):
        compilation_cache.use()


def test_what_is_off_or_in_a_bucket_is_left_to_jax(home, monkeypatch):
    before = used()
    monkeypatch.setenv('JAX_COMPILATION_CACHE_DIR', 'gs://bucket/cache')
    compilation_cache.use()
    monkeypatch.delenv('JAX_COMPILATION_CACHE_DIR')
    jax.config.update('jax_enable_compilation_cache', False)
    compilation_cache.use()
    assert used() == before and not (home / '.cache').exists()
