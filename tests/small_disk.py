"""File systems of a few bytes for a process: no other sees them, and they end with it."""

import functools
import shutil
import subprocess

import pytest

from tests.command import ENVIRONMENT, ROOT

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


TWICE = """
mount -t tmpfs -o size="$1" tmpfs "$2" || exit 1
directory=$2 more=$3 outcome=$4
shift 4
"$@" > "$outcome/1.log" 2>&1
echo $? > "$outcome/1.code"
mount -o remount,size="$more" "$directory"
"$@" > "$outcome/2.log" 2>&1
echo $? > "$outcome/2.code"
cp -r "$directory" "$outcome/disk"
"""


def twice(words, path, size, more, outcome):
    """Runs `words` where the file system at `path` has `size`, and again where it has room for `more`.

    Args:
        outcome: a directory that takes what the file system holds at the end, as `disk`.

    Returns:
        (exit code, output) of the first run, and of the second.
    """
    if not _allowed():
        pytest.skip('this system lets its users mount nothing')
    command = [*ALONE, 'sh', '-c', TWICE, 'sh', size, path, more, outcome, *words]
    subprocess.run(list(map(str, command)), cwd=ROOT, env=ENVIRONMENT, check=True)
    ends = [(outcome / f'{number}.code', outcome / f'{number}.log') for number in (1, 2)]
    return [(int(code.read_text()), log.read_text()) for code, log in ends]


@functools.cache
def _allowed():
    if not shutil.which('unshare'):
        return False
    words = [*ALONE, 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /tmp']
    return subprocess.run(words, capture_output=True).returncode == 0
