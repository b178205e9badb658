"""What the tasks of detection share."""

import jax.numpy as jnp

from resizemix_jax import config as configs
from resizemix_jax.detection import average_precision
from resizemix_jax.input.boxes import arrays

# Keys that only classification reads; detection refuses another value than the default.
CLASSIFICATION = (
    'augment', 'policy', 'policy_place', 'batch_augment', 'mixing', 'saliency', 'half_train', 'half_eval',
    'loss', 'label_smoothing',
)  # fmt: skip


def check(config, dataset):
    """Raises ValueError for a key of classification that was set, micro-batches, or images without boxes."""
    base = configs.base()
    for key in CLASSIFICATION:
        if config[key] != base[key]:
            raise ValueError(
                f'{key}={config[key]!r} is for classification; task={config.task!r} has no use for it. Leave '
                f'it at {base[key]!r}'
            )
    if config.micro_batches > 1:
        raise ValueError(
            f'micro_batches={config.micro_batches}: the loss of a detector is divided by the number of '
            "positive anchors of a device's images, which parts of them change; set 1"
        )
    for bucket in dataset.buckets:
        if set(bucket) != set(arrays((1, 1, 1), 1)):
            raise ValueError(f'dataset={config.dataset!r} has no boxes; task={config.task!r} needs them')


def inside(images, size):
    """Images [B, H, W, C], 0 beyond each one's own size (height, width), float32 [B, 2]."""
    row = jnp.arange(images.shape[1]) < size[:, :1]
    column = jnp.arange(images.shape[2]) < size[:, 1:]
    return jnp.where(row[:, :, None, None] & column[:, None, :, None], images, 0.0)


def summary(rows, split, measure, voc, num_classes):
    """The measures of a whole split: map in [0, 1], others of `measure`, and overflow.

    Args:
        rows: boxes, score, label, overflow, in the order of the split.
        split: with `truths`, see `input.boxes`.
        measure: 'coco', or a key of `voc`.
        voc: measure -> keywords of `average_precision.voc`.
        num_classes: C.
    """
    overflow = {'overflow': float(rows['overflow'].sum())}
    truths = split.truths()
    if measure == 'coco':
        found = average_precision.coco(rows, truths, num_classes=num_classes)
        return found | {'map': max(found['map'], 0.0)} | overflow  # -1 where nothing is to be found
    how = dict(num_classes=num_classes, **voc[measure])
    at_75 = average_precision.voc(rows, truths, overlap=0.75, **how)
    return {'map': average_precision.voc(rows, truths, **how)['map'], 'map_75': at_75['map']} | overflow
