import jax
import jax.numpy as jnp
import pytest

from resizemix_jax import compilation_cache


@pytest.fixture
def restored():
    before = jax.config.jax_compilation_cache_dir
    yield before
    jax.config.update('jax_compilation_cache_dir', before)
    jax.experimental.compilation_cache.compilation_cache.reset_cache()


def test_what_was_compiled_lies_beside_the_runs(restored, tmp_path, monkeypatch):
    monkeypatch.delenv('JAX_COMPILATION_CACHE_DIR', raising=False)
    compilation_cache.use(tmp_path / 'runs' / 'one')
    jax.experimental.compilation_cache.compilation_cache.reset_cache()
    with jax.enable_checks(False):
        jax.jit(lambda x: jnp.linalg.qr(x @ x.T)[0] @ jnp.sort(x))(jnp.ones((37, 37))).block_until_ready()
    assert list((tmp_path / 'runs' / compilation_cache.NAME).glob('*'))


def test_the_environment_decides(restored, tmp_path, monkeypatch):
    monkeypatch.setenv('JAX_COMPILATION_CACHE_DIR', 'elsewhere')
    compilation_cache.use(tmp_path / 'one')
    assert jax.config.jax_compilation_cache_dir == restored
