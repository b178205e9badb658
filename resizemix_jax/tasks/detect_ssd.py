"""Object detection by SSD: one pass, all anchors at once."""

import dataclasses
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from resizemix_jax import keys
from resizemix_jax.detection import distortion, losses
from resizemix_jax.detection.assign import SSD, assign
from resizemix_jax.detection.boxes import HEAD_STDS, clip, decode, iou
from resizemix_jax.detection.nms import detections
from resizemix_jax.input.dataset import Dataset
from resizemix_jax.ranges import Flag, Number, Whole
from resizemix_jax.tasks import _detection
from resizemix_jax.tasks._detection import check, detector, mirrored, normal, summary

SCORE, SCORE_TITLE = 'map', 'mAP'
NETWORKS = _detection.NETWORKS


def detect_ssd(
    config,
    dataset,
    *,
    measure='voc07',
    least=0.02,
    threshold=0.45,
    size=200,
    most=400,
    flip_prob=0.5,
    distort=False,
):
    """The task that trains and evaluates a detector of detectors/ that has `anchors`.

    Training: with `distort`, colours change by `detection.distortion`; images and boxes are flipped with
    probability flip_prob; the loss is
    `detection.losses.ssd_loss`, divided by the number of positives of a device's images, as MMDetection does
    on each GPU. Evaluation: softmax, `detection.nms.detections` and the mean average precision.

    Args:
        config, dataset: see `resizemix_jax.tasks`; the examples are those of `input.boxes`.
        measure: 'voc07', 11 points, or 'voc', the area, at an overlap of .5; 'coco' needs pycocotools.
        least, threshold, size, most: see `detections`; `most` is here for memory, and the measure `overflow`
            counts the candidates that it cut off: with 0 the result is exact.
        flip_prob: in [0, 1].
        distort: of colour images only.

    Raises:
        ValueError: an unknown name or keyword, a value out of range, a key of classification alone that was
            set, or a dataset or network of another kind.
    """
    Number(0, 1).check('task_args.', least=least, threshold=threshold, flip_prob=flip_prob)
    Whole(1, 10_000).check('task_args.', size=size, most=most)
    Flag().check('task_args.', distort=distort)
    check(config, dataset, measure)
    if distort and dataset.image_shape[-1] != 3:
        raise ValueError(
            f'task_args.distort=True changes colours, and dataset={config.dataset!r} has images of '
            f'{dataset.image_shape[-1]} channel; set it to False'
        )
    model = detector(config, dataset)
    if not hasattr(model, 'anchors'):
        raise ValueError(f'task=detect_ssd: model={config.model!r} has no anchors; take ssd300 or ssd64')
    return DetectSSD(model, dataset, measure, least, threshold, size, most, flip_prob, distort)


@dataclasses.dataclass(frozen=True)
class DetectSSD:
    """See `resizemix_jax.tasks` and `detect_ssd`."""

    model: Any
    dataset: Dataset
    measured: str
    least: float
    threshold: float
    size: int
    most: int
    flip_prob: float
    distort: bool

    score = SCORE
    splits = ('train',)
    metric_names: ClassVar[tuple[str, ...]] = ('loss', 'classes_loss', 'boxes_loss')

    def init(self, key):
        images = jnp.zeros((1, *self.dataset.image_shape))
        return self.model.init(key, images, train=False)

    def prepare(self, params, batch_stats, batch, key, progress):
        """Images float32 [B, H, W, C], distorted and normalised, and their boxes, some of both mirrored."""
        if self.distort:
            images = distortion.distort(keys.stream(key, 'distort'), batch['images'])
            batch = batch | {'images': images}
        return mirrored(normal(batch, self.dataset), keys.stream(key, 'flip'), self.flip_prob)

    def loss(self, params, batch_stats, examples, key):
        variables = {'params': params, 'batch_stats': batch_stats}
        (logits, offsets), updated = self.model.apply(
            variables, examples['images'], train=True, mutable=['batch_stats']
        )
        anchors = self.model.anchors()

        def one(logits, offsets, boxes, label, count):
            real = jnp.arange(len(boxes)) < count
            assigned = assign(iou(boxes, anchors), real, **SSD)
            return losses.ssd_loss(logits, offsets, anchors, assigned, boxes, label)

        each = jax.vmap(one)(logits, offsets, examples['boxes'], examples['label'], examples['count'])
        classes, boxes = losses.divided(each)
        loss = classes + boxes
        measured = {'loss': loss, 'classes_loss': classes, 'boxes_loss': boxes}
        return loss, (updated.get('batch_stats', {}), measured)

    def measure(self, params, batch_stats, batch):
        variables = {'params': params, 'batch_stats': batch_stats}
        logits, offsets = self.model.apply(variables, normal(batch, self.dataset)['images'])
        anchors = self.model.anchors()
        everywhere = jnp.ones(len(anchors), bool)

        def one(inputs):
            logits, offsets, size = inputs
            boxes = clip(decode(offsets, anchors, stds=HEAD_STDS), size)
            scores = jax.nn.softmax(logits)[:, :-1]
            how = dict(least=self.least, threshold=self.threshold, size=self.size, most=self.most)
            return detections(boxes, scores, everywhere, **how)

        found = jax.lax.map(one, (logits, offsets, batch['size']))
        rows = found._asdict() | {'boxes': found.boxes / batch['scale'][:, None]}
        return {}, rows

    def summarise(self, sums, rows, split):
        return summary(rows, split, self.measured, self.dataset.num_classes)
