"""COCO's objects (Lin et al., 2014), from its directory: --config.dataset=coco:/path.

/path/annotations/instances_train2017.json and instances_val2017.json, /path/train2017 and /path/val2017.
"""

import json
import logging
import math
import os
import pathlib
from typing import NamedTuple

import numpy as np

from resizemix_jax.errors import DataError, first_line
from resizemix_jax.input import cached
from resizemix_jax.input.box_stream import Annotations, View, described

log = logging.getLogger(__name__)

NEEDS = ('source',)
FOLDERS = {'train': 'train2017', 'eval': 'val2017'}
LEAST = 32  # pixels of the shorter side of a picture to train on
LAW = 2  # of `_parse`, in the name of the kept arrays: a change makes them anew
NAMED = 'names'  # the array of the classes' names, beside those of Annotations


class Objects(NamedTuple):
    """A file of annotations: `Annotations`, and the names of the classes."""

    annotations: Annotations
    names: tuple


def coco(*, source, resize='square', image_size=300, crops=True, longest=1333, shortest=800, most=100):
    """Training on train2017, evaluation on val2017: 80 classes, in the order of their ids.

    Boxes are x, y, x + w, y + h. Crowds are no boxes to be found, in training neither. As in MMDetection,
    training leaves out boxes of an area <= 0, of a side below 1 or outside their picture (the log says how
    many), and pictures without any annotation or with a side below 32 pixels. All are evaluated on.

    The file of annotations is parsed once; what it says is kept as arrays beside it.

    Args:
        source: the directory.
        resize, image_size, crops, longest, shortest, most: see `box_stream.View`; 'square' is for SSD and
            'keep' for Faster R-CNN.

    Raises:
        ValueError: no source, or a number out of range.
        DataError: a file is missing or damaged, is of another task, or names what is not there.
    """
    if not source:
        raise ValueError("dataset='coco' needs a directory: --config.dataset=coco:/path")
    view = View(resize, image_size, crops, longest, shortest, most).checked()
    root = pathlib.Path(os.path.expanduser(source))
    found = {split: _read(root, split) for split in FOLDERS}
    if found['train'].names != found['eval'].names:
        raise DataError(
            f'coco:{root}: the classes of train2017 and val2017 differ; they are of different sets'
        )

    def read(split, data_dir):
        del data_dir
        annotations, names = found[split]
        missing = next((f for f in map(os.fsdecode, annotations.files) if not (root / f).is_file()), None)
        if missing:
            raise DataError(f'coco:{root}: {missing} is missing, and the annotations name it; copy it there')
        return view.open(f'coco {split}', root, annotations, names)

    sizes = {split: len(some.annotations.files) for split, some in found.items()}
    return described(f'coco:{source}', found['train'].names, sizes, view, read)


def _read(root, split):
    """The `Objects` of a split, from the arrays that are kept or else from the JSON file."""
    path = root / 'annotations' / f'instances_{FOLDERS[split]}.json'
    if not path.is_file():
        raise DataError(
            f'coco:{root}: {path} is missing. Name the directory that has annotations, train2017 and val2017'
        )
    name = f'{path.stem}.{split}.boxes{LAW}'
    found = cached.arrays([path], name, 'annotation index', lambda: _parse(path, split), _check)
    names = tuple(str(name) for name in found.pop(NAMED))
    return Objects(Annotations(**found), names)


def _check(found):
    """Raises an error unless the kept arrays fit each other."""
    names = found[NAMED]
    kept = Annotations(**{name: array for name, array in found.items() if name != NAMED})
    if not kept.first[-1] == len(kept.boxes) == len(kept.label) or len(kept.first) != len(kept.files) + 1:
        raise ValueError('its arrays do not fit each other')
    if len(kept.label) and not 0 <= kept.label.min() <= kept.label.max() < len(names):
        raise ValueError('its labels are not of its classes')


def _parse(path, split):
    """The arrays of a file of annotations: name -> array."""
    log.info('Parsing %s, once', path)
    try:
        content = json.loads(path.read_bytes())
        categories = sorted(content['categories'], key=lambda one: one['id'])
        names = [one['name'] for one in categories]
        pictures, dropped = _pictures(content, [one['id'] for one in categories], split)
        if not pictures:
            raise DataError(f'{path} has no picture to use')
        arrays = Annotations.of(pictures)._asdict() | {NAMED: np.array(names)}
    except KeyError as error:
        raise DataError(
            f'{path} is not a file of objects with boxes, as instances_*.json are, or it names what it does '
            f'not have: {error}'
        ) from error
    except (ValueError, TypeError, AttributeError, OverflowError, OSError) as error:
        raise DataError(f'{path} cannot be read ({first_line(error)}); copy it again') from error
    if dropped:
        log.warning('%s: %d boxes without an area or outside their picture are left out', path, dropped)
    boxes = arrays['boxes']
    if empty := int((boxes[:, 2:] <= boxes[:, :2]).any(axis=1).sum()):
        log.warning('%s: %d empty boxes are evaluated on, and no detection can match them', path, empty)
    return arrays


def _pictures(content, categories, split):
    """The pictures of a split as `Annotations.of` takes them, and the number of boxes left out."""
    train = split == 'train'
    number = {category: k for k, category in enumerate(categories)}
    images = {one['id']: one for one in sorted(content['images'], key=lambda one: one['id'])}
    objects = {image: [] for image in images}
    for one in content['annotations']:
        image = images[one['image_id']]
        objects[one['image_id']].append(_object(one, number, image['width'], image['height']))
    pictures, dropped = [], 0
    for image, one in images.items():
        name, shape, own = one['file_name'], (one['height'], one['width']), objects[image]
        if train and (not own or min(shape) < LEAST):
            continue
        kept = [found for found in own if found.usable or not train]
        dropped += len(own) - len(kept)
        columns = ([getattr(found, key) for found in kept] for key in ('box', 'label', 'crowd', 'area'))
        pictures.append((f'{FOLDERS[split]}/{name}', *columns, shape))
    return pictures, dropped


class _Object(NamedTuple):
    box: tuple
    label: int
    crowd: bool
    area: float
    usable: bool


def _object(one, number, width, height):
    x, y, w, h = map(float, one['bbox'])
    if w < 0 or h < 0:
        raise ValueError(
            f'the box {one["bbox"]} of annotation {one.get("id")} is inverted: its side is negative'
        )
    if not math.isfinite(x + y + w + h + one['area']):
        raise ValueError(f'a box {one["bbox"]} of the area {one["area"]}')
    inside = min(x + w, width) > max(x, 0) and min(y + h, height) > max(y, 0)
    usable = one['area'] > 0 and w >= 1 and h >= 1 and inside
    return _Object(
        (x, y, x + w, y + h), number[one['category_id']], bool(one.get('iscrowd')), one['area'], usable
    )
