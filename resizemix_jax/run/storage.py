"""What goes wrong with the files of checkpoints, in a sentence: Orbax's own errors describe its storage."""

import contextlib
import logging
import os
import re
import sys

from resizemix_jax.errors import RunError, first_line
from resizemix_jax.run import files

log = logging.getLogger(__name__)


@contextlib.contextmanager
def reported(directory, size):
    """Turns an error of Orbax, saving `size` bytes into a directory, into a RunError."""
    try:
        yield
    except Exception as error:
        log.debug('Orbax could not save in %s', directory, exc_info=True)
        free = files.free(directory)
        room = '' if free is None else f', {free / 1e6:.1f} MB are free'
        raise RunError(
            f'cannot save a checkpoint in {directory} (it takes about {size / 1e6:.1f} MB{room}): '
            f'{words(error)}. Once that is mended, the same command continues the run'
        ) from error


def words(error):
    """What an error says: the operating system's words, if it comes from there, or else the first line."""
    code = re.search(r"os_error_code='(\d+)'", str(error))
    number = int(code[1]) if code else getattr(error, 'errno', None)
    return os.strerror(number) if number else first_line(error).partition(' [')[0]


def leave_out_complaints():
    """Leaves out what Orbax says beside the errors that it raises; for the process of a command.

    It also logs them, from several threads and with tracebacks; and when one of many reads or writes fails,
    it closes the event loop that the others still report to.
    """
    logging.getLogger('absl').addFilter(_is_shown)
    logging.getLogger('asyncio').addFilter(_is_no_future)
    shown = sys.unraisablehook

    def show(unraisable):
        code = getattr(unraisable.object, 'cr_code', None)
        if 'Event loop is closed' not in str(unraisable.exc_value) and 'orbax' not in str(code):
            shown(unraisable)

    sys.unraisablehook = show


def _is_shown(record):
    return record.levelno < logging.ERROR or 'orbax' not in record.pathname


def _is_no_future(record):
    return 'exception was never retrieved' not in record.getMessage()
