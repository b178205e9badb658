"""COCO's directory of its own schema, small enough to write in a test."""

import json

import numpy as np
from PIL import Image

CATEGORIES = [{'id': 7, 'name': 'train'}, {'id': 1, 'name': 'person'}, {'id': 90, 'name': 'toothbrush'}]
# id -> (height, width)
TRAIN = {42: (40, 60), 9: (50, 50), 100: (20, 90), 7: (60, 60)}
OBJECTS = [
    dict(image_id=42, category_id=90, bbox=[10.5, 5, 20, 30.25], area=321.5, iscrowd=0),
    dict(image_id=42, category_id=1, bbox=[0, 0, 60, 40], area=900.0, iscrowd=1),
    dict(image_id=42, category_id=7, bbox=[3, 3, 0.5, 9], area=2.0, iscrowd=0),  # too narrow
    dict(image_id=42, category_id=7, bbox=[70, 3, 5, 9], area=2.0, iscrowd=0),  # outside
    dict(image_id=100, category_id=1, bbox=[1, 1, 5, 5], area=25.0, iscrowd=0),  # of too flat a picture
    dict(image_id=7, category_id=1, bbox=[1, 1, 5, 5], area=25.0, iscrowd=1),  # a crowd alone
]
EVAL = {3: (30, 40), 1: (30, 30)}
FOUND = [dict(image_id=3, category_id=1, bbox=[4, 5, 0.5, 6], area=3.0, iscrowd=0)]


def annotations(sizes, objects):
    images = [
        dict(id=k, file_name=f'{k:012d}.jpg', height=height, width=width)
        for k, (height, width) in sizes.items()
    ]
    numbered = [dict(one, id=k) for k, one in enumerate(objects)]
    return dict(images=images, annotations=numbered, categories=CATEGORIES, info={})


def make(root):
    """Writes the directory; returns it."""
    (root / 'annotations').mkdir(parents=True)
    for folder, sizes, objects in (('train2017', TRAIN, OBJECTS), ('val2017', EVAL, FOUND)):
        (root / folder).mkdir()
        for k, shape in sizes.items():
            pixels = np.random.default_rng(k).integers(0, 256, (*shape, 3), np.uint8)
            with open(root / folder / f'{k:012d}.jpg', 'wb') as file:
                Image.fromarray(pixels).save(file, 'PNG')
        write(root, folder, annotations(sizes, objects))
    return root


def write(root, folder, content):
    (root / 'annotations' / f'instances_{folder}.json').write_text(json.dumps(content))
