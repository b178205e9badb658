"""An example of detection: an image, its boxes padded to a fixed number, and how it was resized.

    images  uint8 [H, W, C], 0 below and to the right of the image's own size
    boxes   float32 [G, 4], (x0, y0, x1, y1) in pixels of `images`; 0 where there is none
    label   int32 [G]; 0 where there is none
    count   int32 [], the number of boxes; they come first
    size    float32 [2], (height, width) of the image in `images`
    scale   float32 [4], by which the original boxes were multiplied

The boxes are those to be found. A split for evaluation also has `truths()`: of every example its original
boxes, those that are to be ignored, too, see `detection.average_precision`.
"""

import numpy as np

from resizemix_jax.errors import DataError
from resizemix_jax.input.dataset import Split


def arrays(image_shape, most):
    """The arrays of an example, a bucket of a Dataset.

    Args:
        image_shape: (H, W, C).
        most: G, the number of boxes that there is room for.
    """
    float32, int32 = np.dtype(np.float32), np.dtype(np.int32)
    return {
        'images': (tuple(image_shape), np.dtype(np.uint8)),
        'boxes': ((most, 4), float32),
        'label': ((most,), int32),
        'count': ((), int32),
        'size': ((2,), float32),
        'scale': ((4,), float32),
    }


def padded(boxes, label, most, name):
    """The arrays boxes, label and count of an example.

    Args:
        boxes: [n, 4].
        label: [n].
        most: G.
        name: of the example, for messages.

    Raises:
        DataError: it has more than G boxes.
    """
    if len(boxes) > most:
        raise DataError(
            f'{name} has {len(boxes)} boxes, and there is room for {most}; raise dataset_args.most'
        )
    room = np.zeros((most, 4), np.float32), np.zeros(most, np.int32)
    for array, values in zip(room, (boxes, label), strict=True):
        array[: len(values)] = values
    return {'boxes': room[0], 'label': room[1], 'count': np.int32(len(boxes))}


class BoxSplit(Split):
    """Examples of detection in memory, of one size.

    Attributes:
        images: uint8 [N, H, W, C].
        examples: a list of N (boxes float32 [n, 4], label int [n]).
        names: of the classes.
    """

    def __init__(self, images, examples, most, names, files=()):
        self.images, self.examples, self.names, self.files = images, examples, tuple(names), files
        self.size = len(images)
        self.buckets = (arrays(images.shape[1:], most),)
        every = [padded(*one, most, f'image {row}') for row, one in enumerate(examples)]
        self._padded = {name: np.stack([one[name] for one in every]) for name in ('boxes', 'label', 'count')}

    def batch(self, rows, draw):
        del draw
        height, width = self.images.shape[1:3]
        return {'images': self.images[rows]} | {name: a[rows] for name, a in self._padded.items()} | {
            'size': np.tile(np.float32([height, width]), (len(rows), 1)),
            'scale': np.ones((len(rows), 4), np.float32),
        }  # fmt: skip

    def truths(self):
        """Of every example a dict of boxes, label, ignore and area, see `detection.average_precision`."""
        return [
            {
                'boxes': boxes,
                'label': label,
                'ignore': np.zeros(len(label), bool),
                'area': (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]),
            }
            for boxes, label in self.examples
        ]
