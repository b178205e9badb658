import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache as cache

from resizemix_jax.devices import compilation_cache

SETTINGS = ('jax_compilation_cache_dir', 'jax_persistent_cache_min_compile_time_secs')


@pytest.fixture
def restored():
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    jax.config.update(SETTINGS[1], 0)  # JAX keeps what took long to compile; here, everything
    yield before
    for name, value in before.items():
        jax.config.update(name, value)
    cache.reset_cache()


def test_what_was_compiled_lies_beside_the_runs(restored, tmp_path, monkeypatch):
    monkeypatch.delenv('JAX_COMPILATION_CACHE_DIR', raising=False)
    compilation_cache.use(tmp_path / 'runs' / 'one')
    cache.reset_cache()
    jax.jit(lambda x: jnp.sort(x @ x.T))(jnp.ones((37, 37))).block_until_ready()
    assert list((tmp_path / 'runs' / compilation_cache.NAME).glob('*'))


def test_the_environment_decides(restored, tmp_path, monkeypatch):
    monkeypatch.setenv('JAX_COMPILATION_CACHE_DIR', 'elsewhere')
    compilation_cache.use(tmp_path / 'one')
    assert jax.config.jax_compilation_cache_dir == restored['jax_compilation_cache_dir']


def test_without_a_directory_of_the_run_nothing_is_kept(restored, monkeypatch):
    monkeypatch.delenv('JAX_COMPILATION_CACHE_DIR', raising=False)
    compilation_cache.use('')
    assert jax.config.jax_compilation_cache_dir == restored['jax_compilation_cache_dir']
