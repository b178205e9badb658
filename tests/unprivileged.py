"""Permissions as a user without privileges meets them, also where root runs the tests."""

import contextlib
import os

NOBODY = 65534


@contextlib.contextmanager
def user():
    """A context of a user who is refused what permissions refuse."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def write_protect(directory):
    """Makes a directory with all that is in it readable, and nothing in it writable."""
    for path in (directory, *directory.rglob('*')):
        path.chmod(0o555 if path.is_dir() else 0o444)
