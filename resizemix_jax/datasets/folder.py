"""Pictures in folders, streamed: --config.dataset=folder:/path.

/path/train/CLASS/*.jpg and /path/val/CLASS/*.jpg. `validation` or `test` may take the place of `val`, and the
files may have any ending in `pictures.ENDINGS`.
"""

import os
import pathlib

import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input import records
from resizemix_jax.input.pictures import ENDINGS
from resizemix_jax.input.streams import Stream, View, described

NEEDS = ('source',)
EVALUATION = ('val', 'validation', 'test')


def folder(*, source, image_size=224, eval_resize=0, resize='antialias', max_damaged=1e-4):
    """Each folder below `train` is a class. Classes and files are in the order of their names.

    Args:
        source: the directory, with `train` and one of `val`, `validation` and `test` in it.
        image_size, eval_resize, resize, max_damaged: see `streams.View`.

    Raises:
        ValueError: no source, or a value out of range.
        DataError: these folders are missing, hold no pictures, or have different classes.
    """
    if not source:
        raise ValueError("dataset='folder' needs a directory: --config.dataset=folder:/path")
    view = View(image_size, eval_resize, resize, max_damaged).checked()
    root = pathlib.Path(source).expanduser()
    folders = {'train': root / 'train', 'eval': _evaluation(root)}
    classes = _classes(folders['train'])
    unknown = set(_classes(folders['eval'])) - set(classes)
    if unknown:
        raise DataError(
            f'folder:{root}: class {min(unknown)!r} is in {folders["eval"].name} but not in train. Rename or '
            'move its folder'
        )
    found = {split: _pictures(path, classes) for split, path in folders.items()}

    def read(split, data_dir):
        del data_dir
        return Stream(f'folder {folders[split].name}', found[split], classes, len(classes), view)

    sizes = {split: pictures.size for split, pictures in found.items()}
    return described(f'folder:{source}', len(classes), sizes, view, read)


def _evaluation(root):
    """The folder to evaluate on; raises DataError if `root` is not of this form."""
    if not root.is_dir():
        raise DataError(f'folder:{root}: there is no such directory')
    if not (root / 'train').is_dir():
        raise DataError(
            f'folder:{root} has no folder train. Create {root}/train/CLASS/*.jpg and {root}/val/CLASS/*.jpg; '
            'links will do'
        )
    existing = [root / name for name in EVALUATION if (root / name).is_dir()]
    if not existing:
        raise DataError(
            f'folder:{root} has train but none of {", ".join(EVALUATION)}. Create {root}/val/CLASS/*.jpg to '
            'evaluate on'
        )
    return existing[0]


def _classes(path):
    classes = tuple(sorted(entry.name for entry in os.scandir(path) if entry.is_dir()))
    if not classes:
        raise DataError(f'{path} has no folders. Each folder in it is a class: create {path}/CLASS/*.jpg')
    return classes


def _pictures(path, classes):
    names, label = [], []
    for number, name in enumerate(classes):
        if (path / name).is_dir():
            files = sorted(f for f in os.listdir(path / name) if f.lower().endswith(ENDINGS))
            names += map(os.fsencode, files)
            label += [number] * len(files)
    if not names:
        raise DataError(f'the class folders of {path} hold no pictures ({", ".join(ENDINGS)})')
    return records.Pictures(path, classes, np.array(names), np.array(label, np.int32))
