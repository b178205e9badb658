"""What the tasks of detection share."""

import jax
import jax.numpy as jnp

from resizemix_jax import config as configs
from resizemix_jax.detection import average_precision
from resizemix_jax.detection.boxes import flip
from resizemix_jax.devices import parallel
from resizemix_jax.find import bind
from resizemix_jax.input.boxes import arrays
from resizemix_jax.normalize import normalize
from resizemix_jax.ranges import Choice

NETWORKS = 'detectors'
# Measure -> keywords of `average_precision.voc`; 'coco' is pycocotools.
MEASURES = {
    'voc07': dict(rule='11-point', convention='mmdet'),
    'voc': dict(rule='area', convention='mmdet'),
}
# Keys that only classification reads; detection refuses another value than the default.
CLASSIFICATION = (
    'augment', 'policy', 'policy_place', 'batch_augment', 'mixing', 'saliency', 'half_train', 'half_eval',
    'loss', 'label_smoothing',
)  # fmt: skip


def check(config, dataset, measure):
    """Checks the measure, that no key of classification was set, and that the images have boxes.

    Raises:
        ValueError: an unknown measure, a key of classification that was set, micro-batches, or no boxes.
        ModuleNotFoundError: the measure needs pycocotools, which is not installed.
    """
    Choice(*MEASURES, 'coco').check('task_args.', measure=measure)
    if measure == 'coco':
        average_precision.coco_api()
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


def detector(config, dataset):
    """The network of a config, of detectors/."""
    batch_axis = parallel.AXIS if config.batch_norm == 'global' else ''
    provided = dict(dtype=config.dtype, batch_axis=batch_axis, remat=config.remat)
    return bind(NETWORKS, config.model, config.model_args, **provided)(dataset.num_classes)


def normal(batch, dataset):
    """A batch with normalised images, 0 beyond their own sizes."""
    images = normalize(batch['images'], dataset.mean, dataset.std)
    return batch | {'images': inside(images, batch['size'])}


def mirrored(batch, key, prob):
    """A batch, each image and its boxes mirrored with probability `prob`, within the image's own size."""
    images, boxes, size = batch['images'], batch['boxes'], batch['size']
    chosen = jax.random.bernoulli(key, prob, (len(images),))
    # The image lies at the left; what is beyond it stays 0.
    column = (size[:, 1, None].astype(jnp.int32) - 1 - jnp.arange(images.shape[2])) % images.shape[2]
    flipped = inside(jnp.take_along_axis(images, column[:, None, :, None], axis=2), size)
    return batch | {
        'images': jnp.where(chosen[:, None, None, None], flipped, images),
        'boxes': jnp.where(chosen[:, None, None], jax.vmap(flip)(boxes, size[:, 1]), boxes),
    }


def inside(images, size):
    """Images [B, H, W, C], 0 beyond each one's own size (height, width), float32 [B, 2]."""
    row = jnp.arange(images.shape[1]) < size[:, :1]
    column = jnp.arange(images.shape[2]) < size[:, 1:]
    return jnp.where(row[:, :, None, None] & column[:, None, :, None], images, 0.0)


def summary(rows, split, measure, num_classes):
    """The measures of a whole split: map in [0, 1], others of `measure`, and overflow.

    Args:
        rows: boxes, score, label, overflow, in the order of the split.
        split: with `truths`, see `input.boxes`.
        measure: 'coco', or a key of MEASURES.
        num_classes: C.
    """
    overflow = {'overflow': float(rows['overflow'].sum())}
    truths = split.truths()
    if measure == 'coco':
        found = average_precision.coco(rows, truths, num_classes=num_classes)
        return found | {'map': max(found['map'], 0.0)} | overflow  # -1 where nothing is to be found
    how = dict(num_classes=num_classes, **MEASURES[measure])
    at_75 = average_precision.voc(rows, truths, overlap=0.75, **how)
    return {'map': average_precision.voc(rows, truths, **how)['map'], 'map_75': at_75['map']} | overflow
