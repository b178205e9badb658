"""Eight CPU devices for all tests, and nothing that lets a silent mistake pass."""

import gc
import os
import pathlib
import shutil
import signal
import tempfile
from importlib.metadata import version

# Set before JAX is imported, and inherited by the workers and by the processes that tests start: what one
# test has compiled, no other compiles again. New for every session of tests.
os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', tempfile.mkdtemp(prefix='resizemix_jax_tests_'))
os.environ.setdefault('JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS', '0.1')
# Compiling is most of the tests' time.
os.environ.setdefault('JAX_DISABLE_MOST_OPTIMIZATIONS', 'true')
# No test reaches a network, and no library that a test loads tells its maker of it.
os.environ.update(WANDB_MODE='offline', WANDB_ERROR_REPORTING='false', MLFLOW_DISABLE_TELEMETRY='true')
if version('jaxlib').startswith('0.10.'):  # XLA ends a process with a flag that it does not know
    os.environ.setdefault('XLA_FLAGS', '--xla_cpu_use_fusion_emitters=false')

import jax  # noqa: E402
import pytest  # noqa: E402

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background; the tests send it
    signal.signal(signal.SIGINT, signal.default_int_handler)

jax.config.update('jax_platforms', 'cpu')
jax.config.update('jax_num_cpu_devices', 8)


@pytest.fixture(autouse=True, scope='module')
def _forget_compiled_code():
    """What one file of tests compiled is forgotten after it.

    On CPU every executable keeps several memory maps, of which Linux allows a process 65,530: a process that
    ran all tests would be killed by the first one beyond.
    """
    yield
    jax.clear_caches()
    gc.collect()


@pytest.fixture
def key():
    return jax.random.key(0)


@pytest.fixture
def shared_path():
    """A new directory that every user can look into; `tmp_path` lies below one of this user's own."""
    path = pathlib.Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    for root, folders, _ in os.walk(path):  # from above: what is in a folder is seen once it may be
        for folder in folders:
            os.chmod(os.path.join(root, folder), 0o755)
    shutil.rmtree(path)
