"""What lies in folders of pictures: the classes, their pictures at any depth, and what is passed over."""

import collections
import os
from typing import NamedTuple

from resizemix_jax.errors import DataError
from resizemix_jax.input.pictures import ENDINGS

ARCHIVED = '__MACOSX'  # what macOS puts into archives beside their content


class Found(NamedTuple):
    """The content of a folder of classes.

    Attributes:
        pictures: class -> the paths of its pictures below its folder; both in the order of their names.
        passed: Counter of what was passed over, by its ending or in words.
    """

    pictures: dict
    passed: collections.Counter

    @property
    def size(self):
        """The number of pictures."""
        return sum(map(len, self.pictures.values()))


def find(path):
    """The classes below `path`: each folder is one. Hidden names are skipped; links are followed.

    Raises:
        DataError: no class was found, a class is empty, a link is broken, or a folder cannot be read.
    """
    pictures, passed = {}, collections.Counter()
    for entry in _entries(path, passed):
        if not entry.is_dir():
            passed['outside the class folders'] += 1
            continue
        skipped = collections.Counter()
        found = sorted(_pictures(entry.path, '', skipped), key=os.path.split)
        if not found:
            raise DataError(
                f'class {entry.name!r}: {entry.path} holds no pictures ({", ".join(ENDINGS)}) at any depth; '
                f'it holds: {words(skipped) or "nothing"}. Add pictures or remove the folder'
            )
        pictures[entry.name] = found
        passed += skipped
    if not pictures:
        raise DataError(f'{path} has no folders. Each folder in it is a class: create {path}/CLASS/*.jpg')
    return Found(pictures, passed)


def words(passed):
    """A Counter of what was passed over in words, e.g. '12 .tif, 1 hidden'."""
    return ', '.join(f'{count} {kind}' for kind, count in sorted(passed.items()))


def listing(path):
    """The entries of a directory in the order of their names; raises DataError if it is unreadable."""
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(
            f'cannot read {path}: {error.strerror}; check the path and its permissions'
        ) from error


def hidden(name):
    """Whether a file or folder is none of the user's."""
    return name.startswith('.') or name == ARCHIVED


def _entries(path, passed):
    for entry in listing(path):
        if hidden(entry.name):
            passed['hidden'] += 1
            continue
        if entry.is_symlink() and not os.path.exists(entry.path):
            raise DataError(
                f'{entry.path} is a broken link to {os.readlink(entry.path)}; restore its target or remove it'
            )
        yield entry


def _pictures(path, prefix, passed):
    for entry in _entries(path, passed):
        name = prefix + entry.name
        if entry.is_dir():
            _check_loop(path, entry)
            yield from _pictures(entry.path, f'{name}/', passed)
        elif not entry.is_file():
            passed['not a regular file'] += 1  # to open a pipe would wait for its other end
        elif entry.name.lower().endswith(ENDINGS):
            yield name
        else:
            passed[os.path.splitext(entry.name)[1].lower() or 'without an ending'] += 1


def _check_loop(path, entry):
    if not entry.is_symlink():
        return
    target = os.path.realpath(entry.path)
    if os.path.commonpath((target, os.path.realpath(path))) == target:
        raise DataError(f'{entry.path} is a link to {target}, which it lies in; remove it')
