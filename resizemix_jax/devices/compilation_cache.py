"""A cache of XLA's programs: a resumed run, or the next one of a sweep, starts at once.

JAX runs what it finds there, so no other user may be able to write it.
"""

import logging
import os
import pathlib
import stat

import jax

from resizemix_jax.errors import ConfigError

log = logging.getLogger(__name__)

GIVEN = 'JAX_COMPILATION_CACHE_DIR'
NAME = 'resizemix_jax/compiled'


def use():
    """Caches programs in $JAX_COMPILATION_CACHE_DIR, or else in ~/.cache/resizemix_jax/compiled.

    The keys are JAX's: another program, compiler or hardware is compiled again. With several processes only
    the first one writes. JAX_ENABLE_COMPILATION_CACHE=false switches it off; so does, with a line in the log,
    a directory that cannot be made, or that another user could write.

    Raises:
        ConfigError: it is the directory that the environment names.
    """
    given = os.environ.get(GIVEN)
    if not jax.config.jax_enable_compilation_cache or '://' in (given or ''):  # a bucket has its own owners
        return
    try:
        directory = _private(pathlib.Path(given or _default()))
    except (OSError, RuntimeError, ValueError) as error:
        if given:
            raise ConfigError(f'{GIVEN}={given}: {error}') from error
        log.warning('Programs are not cached: %s', error)
        directory = None
    jax.config.update('jax_compilation_cache_dir', directory and str(directory))


def _default():
    """Raises RuntimeError if the user has no home directory."""
    above = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
    return pathlib.Path(above) / NAME


def _private(directory):
    """The directory, made if it is not there, without links.

    Raises:
        OSError: it cannot be made.
        ValueError: it is not this user's alone, or another can put one in its place.
    """
    directory = directory.expanduser().absolute()
    for path in [*reversed(directory.parents), directory]:
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
    directory = directory.resolve()
    for path in (directory, *directory.parents):
        found = path.stat()
        owners = (os.getuid(),) if path == directory else (os.getuid(), 0)
        if found.st_uid not in owners:
            raise ValueError(f'{path} belongs to another user (uid {found.st_uid}), who can change programs')
        # In a directory such as /tmp, with the sticky bit, nobody can rename or delete what is another's.
        sticky = path != directory and found.st_mode & stat.S_ISVTX
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
            raise ValueError(f'other users can write {path}, and so change programs (chmod go-w)')
    return directory
