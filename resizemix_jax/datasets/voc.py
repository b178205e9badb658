"""PASCAL VOC (Everingham et al., 2010), from its directory: --config.dataset=voc:/path/VOCdevkit."""

import os
import pathlib
from xml.etree import ElementTree

from resizemix_jax.errors import DataError, first_line
from resizemix_jax.input.box_stream import Annotations, View, described

NEEDS = ('source',)
CLASSES = (
    'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable',
    'dog', 'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor',
)  # fmt: skip
UNREADABLE = OSError, ElementTree.ParseError, AttributeError, TypeError, ValueError, OverflowError
# Split -> (year, list of ImageSets/Main) of its parts: '07+12'.
PARTS = {'train': (('VOC2007', 'trainval'), ('VOC2012', 'trainval')), 'eval': (('VOC2007', 'test'),)}


def voc(*, source, resize='square', image_size=300, crops=True, longest=1000, shortest=600, most=64):
    """Training on trainval of 2007 and 2012, 16,551 pictures; evaluation on test of 2007, 4,952 pictures.

    Boxes are the numbers of the XML files less 1, as MMDetection has them. Difficult objects are no boxes to
    be found, in training neither, and a picture that has no others stays, with none.

    Args:
        source: the directory that has VOC2007 and VOC2012 in it.
        resize, image_size, crops, longest, shortest, most: see `box_stream.View`; 'square' is for SSD and
            'keep' for Faster R-CNN.

    Raises:
        ValueError: no source, or a number out of range.
        DataError: a directory or list is missing.
    """
    if not source:
        raise ValueError("dataset='voc' needs a directory: --config.dataset=voc:/path/VOCdevkit")
    view = View(resize, image_size, crops, longest, shortest, most).checked()
    root = pathlib.Path(os.path.expanduser(source))
    names = {split: _names(root, parts) for split, parts in PARTS.items()}

    def read(split, data_dir):
        del data_dir
        annotations = Annotations.of([_picture(root, year, name) for year, name in names[split]])
        return view.open(f'voc {split}', root, annotations, CLASSES)

    sizes = {split: len(some) for split, some in names.items()}
    return described(f'voc:{source}', CLASSES, sizes, view, read)


def _names(root, parts):
    """(year, name) of the pictures of a split; DataError if a list is missing or empty."""
    found = []
    for year, part in parts:
        path = root / year / 'ImageSets' / 'Main' / f'{part}.txt'
        if not path.is_file():
            raise DataError(
                f'voc:{root}: {path} is missing. Name the directory that has VOC2007 and VOC2012 in it, as '
                'the archives of PASCAL VOC unpack to VOCdevkit'
            )
        found += [
            (year, line.split()[0])
            for line in path.read_text('utf-8', 'replace').splitlines()
            if line.strip()
        ]
    if not found:
        raise DataError(f'voc:{root}: the lists of {", ".join(part for _, part in parts)} are empty')
    return found


def _picture(root, year, name):
    """A picture as `Annotations.of` takes it."""
    file, path = f'{year}/JPEGImages/{name}.jpg', root / year / 'Annotations' / f'{name}.xml'
    if not (root / file).is_file():
        raise DataError(f'voc:{root}: {file} is missing, and a list names it; copy it there')
    try:
        tree = ElementTree.parse(path).getroot()
        objects = tree.findall('object')
        boxes = [_box(one.find('bndbox')) for one in objects]
        words = [one.findtext('name') for one in objects]
        difficult = [bool(int(one.findtext('difficult') or 0)) for one in objects]
        shape = [int(tree.findtext(f'size/{side}')) for side in ('height', 'width')]
    except UNREADABLE as error:
        raise DataError(f'{path} cannot be read ({first_line(error)}); copy it again') from error
    for box, word in zip(boxes, words, strict=True):
        if word not in CLASSES:
            raise DataError(f'{path} has an object {word!r}; the classes are {", ".join(CLASSES)}')
        if not (box[0] < box[2] and box[1] < box[3]):
            raise DataError(f'{path} has a box of {word!r} from {box[:2]} to {box[2:]}; correct the file')
    area = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes]
    return file, boxes, [CLASSES.index(word) for word in words], difficult, area, shape


def _box(found):
    """The corners, from 0 on; some files have fractions, which are cut off as MMDetection does."""
    return tuple(int(float(found.findtext(key))) - 1 for key in ('xmin', 'ymin', 'xmax', 'ymax'))
