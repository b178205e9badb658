"""A VOCdevkit of PASCAL VOC's own schema, small enough to write in a test."""

import pathlib

import numpy as np
from PIL import Image

# name -> (height, width), [(class, difficult, (xmin, ymin, xmax, ymax))], numbers as in the file, from 1 on
PICTURES = {
    'VOC2007/trainval': {
        '000005': ((40, 60), [('chair', 0, (11, 6, 31, 26)), ('cow', 1, (1, 1, 5, 5))]),
        '000007': ((30, 20), [('car', 0, ('1.7', 2, 20, '29.4'))]),
    },
    'VOC2012/trainval': {'2008_000002': ((25, 50), [('tvmonitor', 1, (2, 2, 40, 20))])},
    'VOC2007/test': {'000001': ((50, 40), [('dog', 0, (5, 6, 21, 46)), ('person', 0, (1, 1, 41, 51))])},
}
XML = """<annotation><filename>{name}.jpg</filename>
<size><width>{width}</width><height>{height}</height></size>{objects}</annotation>"""
OBJECT = """<object><name>{word}</name>{difficult}<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin>
<xmax>2</xmax><ymax>2</ymax></bndbox></part><bndbox><xmax>{2}</xmax><xmin>{0}</xmin><ymax>{3}</ymax>
<ymin>{1}</ymin></bndbox></object>"""


def write(root):
    """Writes PICTURES below `root`, each of random pixels as PNG bytes under the name of a JPEG."""
    root = pathlib.Path(root)
    for part, pictures in PICTURES.items():
        year, split = part.split('/')
        for folder in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
            (root / year / folder).mkdir(parents=True, exist_ok=True)
        names = root / year / 'ImageSets' / 'Main' / f'{split}.txt'
        names.write_text(''.join(f'{name}\n' for name in pictures))
        for name, (shape, objects) in pictures.items():
            pixels = np.random.default_rng(int(name[-3:])).integers(0, 256, (*shape, 3), np.uint8)
            with open(root / year / 'JPEGImages' / f'{name}.jpg', 'wb') as file:
                Image.fromarray(pixels).save(file, 'PNG')
            annotate(root, year, name, shape, objects)
    return root


def annotate(root, year, name, shape, objects):
    """Writes the XML file of a picture."""
    words = ''.join(
        OBJECT.format(*box, word=word, difficult=f'<difficult>{hard}</difficult>' if hard else '')
        for word, hard, box in objects
    )
    text = XML.format(name=name, height=shape[0], width=shape[1], objects=words)
    (root / year / 'Annotations' / f'{name}.xml').write_text(text)
