"""The paths that a user gives: directories of this machine, which buckets are mounted to."""

import pathlib

from resizemix_jax.errors import ConfigError


def local(path, name):
    """`path` as pathlib.Path.

    Args:
        path: str or pathlib.Path.
        name: of the flag or key that it is the value of.

    Raises:
        ConfigError: it is an address, e.g. gs://bucket/runs. As a path that would be a folder named 'gs:' on
            this machine's own disk, which a preempted one loses.
    """
    if '://' in str(path):
        raise ConfigError(
            f'{name}={path} is an address; name a directory. A bucket becomes one with gcsfuse: see '
            '"Storage" in docs/launching.md'
        )
    return pathlib.Path(path)
