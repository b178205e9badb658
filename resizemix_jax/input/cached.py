"""Arrays that take long to make from files, kept beside them, or else in the user's cache directory.

The name of that file has a hash of the names, sizes and times of change of those it was made from. It is an
.npz archive, with a checksum of every array. One that is damaged or does not fit is made again.
"""

import hashlib
import io
import logging
import os
import pathlib
import tempfile

import numpy as np

log = logging.getLogger(__name__)

CACHE = '~/.cache/resizemix_jax'


def arrays(paths, name, title, make, check):
    """name -> array, from the file that they are kept in or else by `make`.

    Args:
        paths: `pathlib.Path`s of the files that they are made from; the first one's directory is tried first.
        name: how the file's name begins.
        title: what they are, for messages, e.g. 'record index'.
        make: () -> name -> array.
        check: name -> array; raises an error of any kind unless they fit the files.
    """
    stats = [path.stat() for path in paths]
    key = repr([(f.name, s.st_size, s.st_mtime_ns) for f, s in zip(paths, stats, strict=True)])
    kept = f'{name}.{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz'
    places = [paths[0].parent / kept, pathlib.Path(os.path.expanduser(CACHE)) / kept]
    for place in places:
        found = _load(place, title, check)
        if found is not None:
            return found
    found = make()
    _store(places, title, found)
    return found


def _load(place, title, check):
    """What was kept; None if nothing was, or it is damaged or does not fit."""
    if not os.path.exists(place):
        return None
    try:
        with np.load(place) as archive:
            found = {name: archive[name] for name in archive.files}
        check(found)
    except Exception as error:  # of a damaged archive: of any kind
        log.warning('The %s %s cannot be used and is rebuilt: %s', title, place, error)
        return None
    return found


def _store(places, title, found):
    """Writes to the first writable place, completely or not at all."""
    content = io.BytesIO()
    np.savez(content, **found)
    for place in places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix='.cached.', dir=place.parent) as scratch:
                part = pathlib.Path(scratch, 'part')
                with part.open('wb') as file:
                    file.write(content.getbuffer())
                    file.flush()
                    os.fsync(file.fileno())  # before it has its name, so that no power cut leaves it empty
                os.replace(part, place)
        except OSError:
            continue
        log.info('Cached the %s in %s', title, place)
        return
    log.warning('Could not cache the %s in %s; it will be rebuilt next time', title, places[0].parent)
