"""What a run is made with and of: WORKDIR/identity.jsonl, a row for its start and for every continuation."""

import datetime
import hashlib
import importlib.metadata
import pathlib
import platform
import secrets
import shlex
import socket
import subprocess
import sys

import resizemix_jax
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError
from resizemix_jax.input.held_out import HELD_OUT

IDENTITY = 'identity.jsonl'
NAMED = 1000  # the most classes that are recorded by their names
SHOWN = 5  # names in a message
LIBRARIES = 'jax', 'jaxlib', 'flax', 'optax'
_REMEDY = 'Restore the data, use another --workdir, or --allow_config_change to continue with the new data'


def collect(devices):
    """How this process was started and what it runs, as JSON has it; `devices` in words.

    `commit` and `dirty` (whether a tracked file differs) are None where the package is not in a git work
    tree.
    """
    commit, dirty = _commit(pathlib.Path(resizemix_jax.__file__).parent)
    return {
        'date': datetime.datetime.now(datetime.UTC).isoformat(timespec='seconds'),
        'command': shlex.join(sys.argv),
        'commit': commit,
        'dirty': dirty,
        'versions': {
            'resizemix_jax': resizemix_jax.__version__,
            'python': platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
        'host': socket.gethostname(),
        'devices': parallel.describe(devices),
    }


def new_run():
    """An id for a new run, which it keeps in all rows: 16 letters and digits."""
    return secrets.token_hex(8)


def fingerprint(split):
    """What tells the data of a split from other data, as JSON has it.

    Args:
        split: has `size` and `names`, and may have `files`: a list of (name below the data's directory,
        bytes), and `parent_rows`.

    Returns:
        dict of size, classes, bytes, and SHA-256 digests of the class names and of the files; bytes and files
        are None without `files`. names: those of the classes, None if they are many. rows: of a part of a
        split, a digest of the rows that it has; absent from others.
    """
    rows = getattr(split, 'parent_rows', None)
    part = {} if rows is None else {'rows': _digest(map(str, rows))}
    return part | {
        'size': split.size,
        'classes': len(split.names),
        'class_names': _digest(split.names),
        'names': list(split.names) if len(split.names) <= NAMED else None,
        'bytes': sum(size for _, size in split.files) if split.files else None,
        'files': _digest(f'{name} {size}' for name, size in sorted(split.files)) if split.files else None,
    }


def check_data(before, now):
    """Raises ConfigError if two fingerprints, split name -> dict, are of other data.

    A value that one of them does not know (None, or a split that only one has) is not compared.
    """
    for name in sorted(before.keys() & now.keys()):
        _check_classes(name, before[name].get('names'), now[name].get('names'))
        for key in (key for key in now[name] if key in before[name]):
            values = before[name][key], now[name][key]
            if values[0] != values[1] and None not in values:
                raise ConfigError(
                    f'the data is not what this run was trained on: {key} of {name!r} was {values[0]} and is '
                    f'{values[1]}. {_REMEDY}'
                )


def check_held_out(before, now):
    """Raises ConfigError if a run would continue with another held-out part; arguments as `check_data`."""
    one, two = (data.get(HELD_OUT, {}) for data in (before, now))
    if any(one.get(key) != two.get(key) for key in ('rows', 'files')):
        raise ConfigError(
            'a run cannot continue with other held-out examples: it trained on some of them, and was '
            'evaluated on others. Leave held_out, seed and data as they were, or use another --workdir'
        )


def _check_classes(split, before, now):
    """Raises ConfigError if the classes of a split are others; names those that came and went."""
    if None in (before, now) or before == now:
        return
    kinds = ('gone', set(before) - set(now)), ('new', set(now) - set(before))
    changed = [f'{kind}: {_shown(sorted(names))}' for kind, names in kinds if names] or ['their order']
    raise ConfigError(
        f'the data is not what this run was trained on: the classes of {split!r} were {len(before)} and are '
        f'{len(now)} ({"; ".join(changed)}), so the labels have another meaning. {_REMEDY}'
    )


def _shown(names):
    return ', '.join(map(repr, names[:SHOWN])) + (', ...' if len(names) > SHOWN else '')


def changed_versions(before, now):
    """The libraries whose versions differ, in words; '' if none does, or `before` does not know them."""
    changed = [name for name in LIBRARIES if before.get(name, now[name]) != now[name]]
    return ', '.join(f'{name} {before[name]}, now {now[name]}' for name in changed)


def _digest(texts):
    # File names may be of any bytes, which Python keeps as surrogates.
    return hashlib.sha256('\n'.join(texts).encode('utf-8', 'surrogateescape')).hexdigest()[:16]


def _commit(directory):
    """(commit, whether a tracked file differs from it) of a directory under git, or (None, None)."""

    def git(*arguments):
        command = ('git', '-C', str(directory), *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        git('ls-files', '--error-unmatch', '__init__.py')  # and not an environment within another repository
        changes = git('status', '--porcelain', '--untracked-files=no')
        return git('rev-parse', 'HEAD'), bool(changes)
    except (OSError, subprocess.SubprocessError):
        return None, None
