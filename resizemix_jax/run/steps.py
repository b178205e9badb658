"""The step directories of checkpoints, <directory>/<step>/: which are whole, and how they are set aside."""

import logging

from resizemix_jax.errors import DataError, RunError
from resizemix_jax.run import files

log = logging.getLogger(__name__)

PARTS = '_CHECKPOINT_METADATA', 'default/_METADATA'  # without one of them a checkpoint cannot be read
DELETED = '.deleted'  # the end of the name of a directory that is being deleted


def finished(directory):
    """The steps in a directory whose checkpoint is whole, sorted."""
    return [step for step in _steps(directory) if _is_finished(directory / str(step))]


def latest(directory):
    """The newest finished step, or 0.

    Raises:
        DataError: there are checkpoints, and none is whole: to start again would lose what they are of.
    """
    steps = finished(directory)
    if steps:
        return steps[-1]
    broken = _steps(directory)
    if broken:
        raise DataError(
            f'{directory / str(broken[-1])} is incomplete, and there is no other checkpoint to continue '
            'from. Bring it back from a copy, or start again in another --workdir'
        )
    return 0


def tidy(directory):
    """Makes a directory; sets aside incomplete steps beside a whole one, so that they can be saved again."""
    files.make_directory(directory)
    for name in files.names(directory):
        if name.endswith(DELETED):
            delete(directory / name)
    whole = finished(directory)
    for step in _steps(directory) if whole else ():
        if step not in whole:
            path = directory / str(step)
            aside = set_aside(path, 'incomplete')
            log.warning(
                'The checkpoint %s is incomplete and is skipped; it is set aside as %s', path, aside.name
            )


def forget_after(directory, step):
    """Deletes the steps after a step, which will be computed again.

    At step 0 they are set aside: it may be that the other checkpoints of the run were lost.
    """
    for later in (other for other in finished(directory) if other > step):
        path = directory / str(later)
        if step:
            delete(path)
        else:
            aside = set_aside(path, 'before')
            log.warning(
                'The run starts from step 0; %s, of an earlier start, is kept as %s', path, aside.name
            )


def set_aside(path, reason):
    """Renames a step directory so that it is none; returns its new path."""
    aside = path.with_name(f'{path.name}.{reason}')
    while files.exists(aside):
        aside = aside.with_name(aside.name + '_')
    files.rename(path, aside)
    return aside


def delete(path):
    """Deletes a step directory, which nobody can take for a whole one meanwhile."""
    try:
        if not path.name.endswith(DELETED):
            path = set_aside(path, DELETED[1:])
        files.delete(path)
    except RunError as error:  # on NFS, as long as somebody reads it; `tidy` tries again
        log.warning('%s', error)


def _steps(directory):
    return sorted(int(name) for name in files.names(directory) if name.isdecimal() and name.isascii())


def _is_finished(path):
    return all(files.exists(path / part) for part in PARTS)
