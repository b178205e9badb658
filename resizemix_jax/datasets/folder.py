"""Pictures in folders, streamed: --config.dataset=folder:/path.

/path/train/CLASS/*.jpg and /path/val/CLASS/*.jpg; `valid`, `validation` or `test` may replace `val`. The
pictures of a class lie at any depth below its folder and have an ending in `pictures.ENDINGS`. Names that
begin with a dot are skipped.
"""

import logging
import os
import pathlib

import numpy as np

from resizemix_jax.datasets import _folders
from resizemix_jax.errors import DataError
from resizemix_jax.input import records
from resizemix_jax.input.streams import Stream, View, described

log = logging.getLogger(__name__)

NEEDS = ('source',)
EVALUATION = ('val', 'valid', 'validation', 'test')
SHOWN = 10  # names in a line of the log


def folder(*, source, image_size=224, eval_resize=0, resize='antialias', max_damaged=1e-4):
    """Each folder below `train` is a class. Classes and files are in the order of their names.

    Args:
        source: the directory, with `train` and one of `val`, `valid`, `validation` and `test` in it.
        image_size, eval_resize, resize, max_damaged: see `streams.View`.

    Raises:
        ValueError: no source, or a value out of range.
        DataError: these folders are missing, have an empty class or a broken link, or other classes.
    """
    if not source:
        raise ValueError("dataset='folder' needs a directory: --config.dataset=folder:/path")
    view = View(image_size, eval_resize, resize, max_damaged).checked()
    root = pathlib.Path(os.path.expanduser(source))
    folders = {'train': root / 'train', 'eval': _evaluation(root)}
    found = {split: _folders.find(path) for split, path in folders.items()}
    classes = tuple(found['train'].pictures)
    unknown = set(found['eval'].pictures) - set(classes)
    if unknown:
        raise DataError(
            f'folder:{root}: class {min(unknown)!r} is in {folders["eval"].name} but not in train. Rename or '
            'move its folder'
        )
    pictures = {split: _pictures(path, classes, found[split].pictures) for split, path in folders.items()}

    def read(split, data_dir):
        del data_dir
        _log(folders[split], found[split])
        return Stream(f'folder {folders[split].name}', pictures[split], classes, len(classes), view)

    sizes = {split: some.size for split, some in pictures.items()}
    labels = {split: (some.label, classes) for split, some in pictures.items()}
    return described(f'folder:{source}', len(classes), sizes, view, read, labels)


def _evaluation(root):
    """The folder to evaluate on; raises DataError if `root` is not of this form."""
    if not os.path.exists(root):
        raise DataError(f'folder:{root}: there is no such directory')
    entries = [entry for entry in _folders.listing(root) if not _folders.hidden(entry.name)]
    names = [entry.name for entry in entries if os.path.isdir(entry.path)]
    if 'train' not in names:
        raise DataError(
            f'folder:{root} has no folder train; {_there(entries, names)}. {_remedy(root, names)}'
        )
    existing = [name for name in EVALUATION if name in names]
    if not existing:
        raise DataError(
            f'folder:{root} has train but none of {", ".join(EVALUATION)}; {_there(entries, names)}. '
            f'Create {root}/val/CLASS/*.jpg to evaluate on'
        )
    return root / existing[0]


def _there(entries, folders):
    """What a directory holds, in words."""
    return f'its folders: {_shown(folders) or "none"}; its files: {len(entries) - len(folders) or "none"}'


def _remedy(root, folders):
    """What to do about a directory without a folder train."""
    other_case = [name for name in folders if name.lower() in ('train', 'training')]
    deeper = [name for name in folders if os.path.isdir(root / name / 'train')]
    if other_case:
        return f'Rename {other_case[0]} to train, and the folder to evaluate on to val'
    if deeper:
        return f'Name the directory that has it: --config.dataset=folder:{root / deeper[0]}'
    return f'Create {root}/train/CLASS/*.jpg and {root}/val/CLASS/*.jpg; links will do'


def _pictures(path, classes, found):
    """The `records.Pictures` of what was found: class -> names."""
    names = [os.fsencode(name) for some in classes for name in found.get(some, ())]
    label = np.repeat(np.arange(len(classes), dtype=np.int32), [len(found.get(some, ())) for some in classes])
    return records.Pictures(path, classes, np.array(names), label)


def _log(path, found):
    classes = tuple(found.pictures)
    log.info('%s: %d pictures of %d classes: %s', path, found.size, len(classes), _shown(classes))
    if found.passed:
        log.warning('%s: passed over: %s', path, _folders.words(found.passed))


def _shown(names):
    return ', '.join(names[:SHOWN]) + (', ...' if len(names) > SHOWN else '')
