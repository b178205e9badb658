"""The files of a run, and the only door to them: nothing else in the package opens a path in a workdir.

Checkpoints, traces and pictures are written by Orbax, JAX and the gallery into directories of their own. The
functions here take `pathlib.Path`s, and say in a sentence what the file system refused.
"""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import shutil
import zlib

from resizemix_jax.errors import ConfigError, RunError

PART = '.part'  # the end of the name of a file that is not whole yet
SEAL = 'crc32'  # the key of the checksum in a file of JSON
RESTORE = 'bring it back from a copy, or move it away'


def absolute(path):
    """The path without symbolic links, from the root."""
    return pathlib.Path(os.path.realpath(path))


def exists(path):
    """Whether there is anything at a path."""
    with _reported('look for', path):
        try:  # from Python 3.14 on, pathlib takes for absent what it may not look at
            os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


def names(directory):
    """The names of what a directory holds, sorted; () of none."""
    with _reported('list', directory):
        try:
            return tuple(sorted(os.listdir(directory)))
        except (FileNotFoundError, NotADirectoryError):
            return ()


def modified(path):
    """When a file was last written, in seconds since the epoch."""
    with _reported('read', path):
        return path.stat().st_mtime


def make_directory(path):
    """Makes a directory with those above it, if it is not there.

    Raises:
        ConfigError: there is a file of that name.
    """
    if exists(path) and not path.is_dir():
        raise ConfigError(f'{path} is a file; name a directory')
    with _reported('make', path):
        path.mkdir(parents=True, exist_ok=True)


def rename(path, target):
    """Renames a file or directory."""
    with _reported('rename', path):
        path.rename(target)


def delete(path):
    """Deletes a directory with all that is in it."""
    with _reported('delete', path):
        shutil.rmtree(path)


def read_text(path, default=''):
    """The content of a small text file; `default` if it cannot be read."""
    try:
        return path.read_text('utf-8')
    except (OSError, ValueError):
        return default


def read_bytes(path):
    """The content of a file."""
    with _reported('read', path):
        return path.read_bytes()


def write_bytes(path, data):
    """Writes a file whole or not at all, so that it is still there after a power cut."""
    part = path.with_name(path.name + PART)
    with _reported('write', path):
        with part.open('wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_directory(path.parent)


def write_text(path, text):
    """Writes a text file whole or not at all."""
    write_bytes(path, text.encode('utf-8', 'replace'))  # names of files may be of any bytes


def free(directory):
    """The bytes that are free on the disk of a directory, or None if it does not say."""
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def read_json(path):
    """The content of a file of one JSON object, as a dict.

    Raises:
        ConfigError: it is something else, or was changed after `write_json` wrote it.
    """
    data = read_bytes(path)
    try:
        content = json.loads(data.decode('utf-8'))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f'{path} is not JSON ({error}); {RESTORE}') from error
    if not isinstance(content, dict):
        raise ConfigError(f'{path} holds {type(content).__name__}, and must hold an object; {RESTORE}')
    if content.pop(SEAL, None) not in (None, _seal(content)):  # older versions wrote none
        raise ConfigError(f'{path} was changed after it was written; {RESTORE}, or delete its {SEAL}')
    return content


def write_json(path, content):
    """Writes a file of a JSON object, whole and durable, with a checksum of its content."""
    content = json.loads(json.dumps(content))
    write_text(path, json.dumps(content | {SEAL: _seal(content)}, indent=2, sort_keys=True) + '\n')


def _seal(content):
    return zlib.crc32(json.dumps(content, sort_keys=True).encode('utf-8'))


def read_rows(path):
    """The rows of a file of JSON lines: objects with a number `step`.

    Returns:
        The rows, and the numbers of the lines that are none (the last one can be cut off by a kill), from 1.
        No file has no lines.
    """
    rows, dropped = [], []
    with _reported('read', path):
        try:
            text = path.read_bytes().decode('utf-8', errors='replace')
        except (FileNotFoundError, NotADirectoryError):
            text = ''
    for number, line in enumerate(text.splitlines(), 1):
        try:
            row = json.loads(line)
            row['step'] + 0
        except (ValueError, TypeError, KeyError, RecursionError):
            dropped.append(number)
        else:
            rows.append(row)
    return rows, dropped


def write_rows(path, rows):
    """Writes a file of JSON lines, whole and durable."""
    write_text(path, ''.join(json.dumps(row) + '\n' for row in rows))


class Appender:
    """Appends bytes to a file: at once safe from the end of this process, after `close` from a power cut."""

    def __init__(self, path):
        self._path = path
        with _reported('open', path):
            self._file = path.open('ab')

    def append(self, data):
        """Appends bytes and hands them to the operating system."""
        with _reported('write', self._path):
            self._file.write(data)
            self._file.flush()

    def append_row(self, row):
        """Appends a row of JSON lines."""
        self.append((json.dumps(row) + '\n').encode('utf-8'))

    def sync(self):
        """Returns once all of it is on the disk."""
        with _reported('write', self._path):
            os.fsync(self._file.fileno())

    def close(self):
        """Closes the file once it is on the disk."""
        with _reported('write', self._path), self._file:
            os.fsync(self._file.fileno())


class LockFile:
    """A file that says in JSON which process has it, and that the kernel locks for it until it dies.

    Attributes:
        held: True: this process has the lock; False: another one has it; None: the file system has no locks.
    """

    def __init__(self, path):
        self._path = path
        with _reported('open', path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.held = True
        except OSError as error:
            self.held = False if error.errno in (errno.EAGAIN, errno.EACCES) else None

    def read(self):
        """Its content, a dict; {} if it is empty. Reopened each time, so that NFS asks its server."""
        with _reported('read', self._path):
            try:
                content = json.loads(self._path.read_bytes())
            except (FileNotFoundError, ValueError):
                return {}
        return content if isinstance(content, dict) else {}

    def write(self, content):
        """Makes it say `content`, in place."""
        data = json.dumps(content).encode('utf-8')
        with _reported('write', self._path):
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))
            os.fsync(self._descriptor)

    def is_there(self):
        """Whether its path still leads to it: it was not deleted, and its disk not unmounted."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except OSError as error:
            return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENOTCONN)

    def close(self):
        """Gives up the lock."""
        os.close(self._descriptor)


def _sync_directory(directory):
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):  # mounted buckets cannot
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _reported(verb, path):
    """Turns what the file system refuses into a RunError that names the path."""
    try:
        yield
    except OSError as error:
        raise RunError(f'cannot {verb} {path}: {error.strerror or error}') from error
