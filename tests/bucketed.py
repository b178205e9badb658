"""A small dataset of images of two sizes with a ragged number of boxes: two buckets, rows padded to BOXES.

A third of the examples are of the second size. Nothing is stored: an example is drawn from its number, so the
same split serves in memory and through worker processes (`streamed`).
"""

from dataclasses import dataclass

import numpy as np

from resizemix_jax.input.dataset import Dataset, Split

SHAPES = ((6, 10, 1), (10, 8, 1))  # height, width, channels of the two buckets
BOXES, CLASSES = 5, 3
BUCKETS = tuple(
    {
        'images': (shape, np.dtype(np.uint8)),
        'boxes': ((BOXES, 4), np.dtype(np.float32)),  # x0, y0, x1, y1 in pixels; 0 where there is none
        'count': ((), np.dtype(np.int32)),  # of the boxes that are there
        'label': ((), np.dtype(np.int32)),
    }
    for shape in SHAPES
)
SEEDS = {'train': 0, 'held_out': 1, 'eval': 2}


def bucketed(*, train_size=41, held_out_size=29, eval_size=22, streamed=False):
    """The dataset; its splits are 'train', 'held_out' and 'eval'."""
    sizes = {'train': train_size, 'held_out': held_out_size, 'eval': eval_size}
    return Dataset(
        name='bucketed',
        buckets=BUCKETS,
        num_classes=CLASSES,
        sizes=sizes,
        mean=(0.5,),
        std=(0.25,),
        reader=lambda split, data_dir: BucketedSplit(sizes[split], SEEDS[split], streamed),
        streamed=streamed,
    )


@dataclass(eq=False)
class BucketedSplit(Split):
    """`size` examples, drawn from (seed, row)."""

    size: int
    seed: int
    streamed: bool = False
    buckets = BUCKETS

    def rows(self, bucket):
        """The rows of a bucket."""
        rows = np.arange(self.size)
        return rows[(rows % 3 == 2) == bool(bucket)]

    def steps(self, batch):
        return sum(len(self.rows(bucket)) // batch for bucket in range(len(BUCKETS)))

    def order(self, seed, epoch, batch):
        rng = np.random.default_rng((seed, epoch))
        batches = []
        for bucket in range(len(BUCKETS)):
            rows = rng.permutation(self.rows(bucket))
            batches += [rows[i : i + batch] for i in range(0, len(rows) - batch + 1, batch)]
        return rng.permutation(np.array(batches))

    def eval_order(self, batch):
        rows, valid = [], []
        for bucket in range(len(BUCKETS)):
            own = self.rows(bucket)
            places = np.arange(-(-len(own) // batch) * batch).reshape(-1, batch)
            rows.append(own[np.minimum(places, len(own) - 1)])
            valid.append(places < len(own))
        return np.concatenate(rows), np.concatenate(valid)

    def batch(self, rows, draw):
        examples = [self.example(int(row), draw) for row in rows]
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}

    def example(self, row, draw):
        """One example; in training it is flipped with probability 1/2, its boxes with it."""
        rng = np.random.default_rng((self.seed, row))
        height, width, _ = shape = SHAPES[row % 3 == 2]
        images = rng.integers(0, 256, shape, np.uint8)
        count = rng.integers(0, BOXES + 1, dtype=np.int32)
        corners = np.sort(rng.uniform(0, (width, height), (count, 2, 2)), axis=1).astype(np.float32)
        boxes = np.zeros((BOXES, 4), np.float32)
        boxes[:count] = corners.reshape(count, 4)
        label = rng.integers(0, CLASSES, dtype=np.int32)
        if draw and np.random.default_rng((*draw, row)).random() < 0.5:
            images = images[:, ::-1]
            boxes[:count, ::2] = width - boxes[:count, 2::-2]
        return {'images': images, 'boxes': boxes, 'count': count, 'label': label}
