"""File systems of a few bytes for a process: no other sees them, and they end with it."""

import functools
import shutil
import subprocess

import pytest

# A user namespace, in which mounting takes no privilege.
ALONE = ('unshare', '--user', '--map-root-user', '--mount')


def mounted(sizes, *words):
    """The words that run `words` where there is a new, empty file system at each path.

    Args:
        sizes: path -> size as mount takes it, e.g. '64k'.
    """
    if not _allowed():
        pytest.skip('this system lets its users mount nothing')
    mounts = ' && '.join(f'mount -t tmpfs -o size={size} tmpfs "{path}"' for path, size in sizes.items())
    return [*ALONE, 'sh', '-c', f'{mounts} && exec "$@"', 'sh', *words]


@functools.cache
def _allowed():
    if not shutil.which('unshare'):
        return False
    words = [*ALONE, 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /tmp']
    return subprocess.run(words, capture_output=True).returncode == 0
