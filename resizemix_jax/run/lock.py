"""Who owns a workdir: one process at a time, on local and on network file systems.

The kernel's lock ends with its process, but some network file systems keep it to one host, or have none. So
the owner also signs the file, again every BEAT seconds, and whoever finds the signature of another machine
waits to see whether it is renewed.
"""

import contextlib
import datetime
import logging
import os
import pathlib
import socket
import threading
import time

from resizemix_jax.errors import ConfigError, RunError
from resizemix_jax.run import files

log = logging.getLogger(__name__)

BEAT = 10.0  # seconds between two signatures of an owner
SILENCE = 35.0  # seconds without one after which an owner on another machine is taken for dead
BOOT = pathlib.Path('/proc/sys/kernel/random/boot_id')


@contextlib.contextmanager
def lock(path):
    """A context that one process at a time is in.

    Args:
        path: of a file that holds the owner's host, process id and start. It stays.

    Yields:
        An `Owner`.

    Raises:
        ConfigError: another process, or another context of this one, has it.
    """
    file = files.LockFile(path)
    try:
        _acquire(file, path)
        owner = Owner(file, path)
        try:
            yield owner
        finally:
            owner.release()
    finally:
        file.close()


class Owner:
    """The owner of a lock, which signs its file from a thread until it is released."""

    def __init__(self, file, path):
        self._file, self._directory = file, path.parent
        self._signature = {
            'host': socket.gethostname(),
            'pid': os.getpid(),
            'since': datetime.datetime.now().astimezone().isoformat(timespec='seconds'),
            'machine': _machine(),
            'token': os.urandom(8).hex(),
        }
        self._problem = ''
        self._released = threading.Event()
        file.write(self._signature | {'beat': 0})
        threading.Thread(target=self._sign, daemon=True).start()

    def check(self, look=True):
        """Raises RunError if the directory is no longer there, or another process has taken it over.

        Args:
            look: at the file; otherwise only at what the thread has found in the last BEAT seconds.
        """
        if look:
            self._look()
        if self._problem:
            raise RunError(self._problem)

    def release(self):
        """Empties the file, if it still is this owner's."""
        self._released.set()
        with contextlib.suppress(RunError):
            self._look()
            if not self._problem:
                self._file.write({})

    def _look(self):
        if not self._file.is_there():
            self._problem = (
                f'{self._directory} was deleted, moved or unmounted while this run wrote to it; what was '
                'saved before is where the directory is now'
            )
            return
        found = self._file.read()
        if found.get('token', self._signature['token']) != self._signature['token']:
            self._problem = (
                f'{self._directory} was taken over by {_described(found)} while this process did not '
                'respond; this one ends'
            )

    def _sign(self):
        beat, warned = 0, False
        while not self._released.wait(BEAT):
            beat += 1
            try:
                self._look()
                if self._problem:
                    return
                self._file.write(self._signature | {'beat': beat})
            except (RunError, OSError) as error:  # a disk that comes back
                if not warned and not self._released.is_set():
                    log.warning('The lock of %s cannot be renewed: %s', self._directory, error)
                warned = True


def _acquire(file, path):
    """Raises ConfigError unless the file's owner, if there is one, is dead."""
    owner = file.read()
    if file.held is False:
        raise _refusal(path, owner)
    if not owner or (file.held and owner.get('machine') == _machine()):
        return  # the kernel knows the processes of this machine
    log.info(
        '%s belonged to %s, which did not release it; waiting %.0f s to see whether it still runs',
        path.parent, _described(owner), SILENCE,
    )  # fmt: skip
    until = time.monotonic() + SILENCE
    while time.monotonic() < until:
        time.sleep(min(1.0, SILENCE / 10))
        now = file.read()
        if now and now != owner:
            raise _refusal(path, now)
        if not now:
            return
    log.warning('%s shows no sign of life; its lock of %s is taken over', _described(owner), path.parent)


def _refusal(path, owner):
    return ConfigError(
        f'{path.parent} is in use by {_described(owner)}; wait for its end, stop it, or use another --workdir'
    )


def _described(owner):
    if 'pid' not in owner or 'host' not in owner:  # between its lock and its signature
        return 'another process'
    since = f' since {owner["since"]}' if 'since' in owner else ''
    return f'process {owner["pid"]} on {owner["host"]}{since}'


def _machine():
    """What tells this machine from others, and from itself before a restart."""
    return files.read_text(BOOT).strip() or socket.gethostname()
