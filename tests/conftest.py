"""Eight CPU devices for all tests, and nothing that lets a silent mistake pass."""

import jax
import pytest

jax.config.update('jax_platforms', 'cpu')
jax.config.update('jax_num_cpu_devices', 8)
jax.config.update('jax_disable_most_optimizations', True)  # compiling is most of the tests' time


@pytest.fixture
def key():
    return jax.random.key(0)
