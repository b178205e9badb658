"""Object detection by Faster R-CNN: proposals, then a second look at each."""

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax import keys
from resizemix_jax.detection import anchors, losses
from resizemix_jax.detection.assign import HEAD, RPN, append_truth, assign
from resizemix_jax.detection.boxes import HEAD_STDS, clip, decode, iou
from resizemix_jax.detection.nms import detections
from resizemix_jax.detection.proposals import propose
from resizemix_jax.detection.roi_align import level_of, roi_align
from resizemix_jax.detection.sample import sample
from resizemix_jax.input.dataset import Dataset
from resizemix_jax.ranges import POSITIVE, Number, Whole
from resizemix_jax.tasks import _detection
from resizemix_jax.tasks._detection import check, detector, mirrored, normal, summary

SCORE, SCORE_TITLE = 'map', 'mAP'
NETWORKS = _detection.NETWORKS
STRIDES = anchors.FPN_STRIDES
POOLED = 4  # levels, from the finest on, that boxes are pooled from
MULTIPLE = 32  # pixels, to which an image is padded
FROZEN = {0: (), 1: ('backbone/stem/*', 'backbone/stem_norm/*', 'backbone/stage1_*')}


def detect_rcnn(
    config,
    dataset,
    *,
    measure='voc07',
    frozen_stages=1,
    anchor_scale=8.0,
    candidates=2000,
    eval_candidates=1000,
    proposals=1000,
    rpn_sample=256,
    head_sample=512,
    ratio=0,
    least=0.05,
    threshold=0.5,
    size=100,
    flip_prob=0.5,
):
    """The task that trains and evaluates `detectors.faster_rcnn`, both stages at once.

    The defaults are those of MMDetection 2.6's faster_rcnn_r50_fpn, as are the laws, which the functions of
    `detection` state: the losses of both stages have weight 1 and are divided by the numbers of sampled
    anchors and boxes of a device's images, and proposals are constants to the second stage.

    Args:
        config, dataset: see `resizemix_jax.tasks`; the examples are those of `input.boxes`.
        measure: see `detect_ssd`.
        frozen_stages: 0, or 1: the backbone's stem and first stage are not trained.
        anchor_scale: side of the square anchors, in strides of their level.
        candidates, eval_candidates: anchors of each level before NMS, in training and evaluation.
        proposals: of an image, after NMS.
        rpn_sample, head_sample: anchors and boxes of an image that the losses are of.
        ratio: of `roi_align`, 0: adaptive; 2 is cheaper.
        least, threshold, size: of the `detections`.
        flip_prob: in [0, 1].

    Raises:
        ValueError: see `detect_ssd`.
    """
    check(config, dataset, measure)
    counts = dict(
        candidates=candidates, eval_candidates=eval_candidates, proposals=proposals, rpn_sample=rpn_sample,
        head_sample=head_sample, size=size,
    )  # fmt: skip
    Whole(1, 100_000).check('task_args.', **counts)
    Whole(0, 1).check('task_args.', frozen_stages=frozen_stages)
    Whole(0, 8).check('task_args.', ratio=ratio)
    POSITIVE.check('task_args.', anchor_scale=anchor_scale)
    Number(0, 1).check('task_args.', least=least, threshold=threshold, flip_prob=flip_prob)
    model = detector(config, dataset)
    if not hasattr(model, 'classify'):
        raise ValueError(f'task=detect_rcnn: model={config.model!r} has no second stage; take faster_rcnn')
    return DetectRCNN(
        model,
        dataset,
        measure,
        FROZEN[frozen_stages],
        anchor_scale,
        counts,
        ratio,
        least,
        threshold,
        flip_prob,
    )


class Grid(NamedTuple):
    """The anchors: of each level the (rows, columns) of its cells, and NumPy float32 [A, 4]."""

    shapes: list
    boxes: list


@dataclasses.dataclass(frozen=True)
class DetectRCNN:
    """See `resizemix_jax.tasks` and `detect_rcnn`."""

    model: Any
    dataset: Dataset
    measured: str
    frozen: tuple
    anchor_scale: float
    counts: dict
    ratio: int
    least: float
    threshold: float
    flip_prob: float

    score = SCORE
    splits = ('train',)
    metric_names: ClassVar[tuple[str, ...]] = (
        'loss', 'rpn_classes_loss', 'rpn_boxes_loss', 'classes_loss', 'boxes_loss'
    )  # fmt: skip

    def init(self, key):
        images = jnp.zeros((1, *self.dataset.image_shape))
        return self.model.init(key, images, train=False)

    def prepare(self, params, batch_stats, batch, key, progress):
        """Images float32 [B, H, W, C], normalised, and their boxes, some of both mirrored."""
        return mirrored(normal(batch, self.dataset), keys.stream(key, 'flip'), self.flip_prob)

    def loss(self, params, batch_stats, examples, key):
        variables = {'params': params, 'batch_stats': batch_stats}
        levels, updated = self.model.apply(
            variables, examples['images'], True, method='pyramid', mutable=['batch_stats']
        )
        proposed = self.model.apply(variables, levels, method='propose')
        grid = self._grid(levels)
        each = jax.random.split(keys.stream(key, 'sample'), len(examples['images']))

        def first(key, logits, offsets, example):
            return self._first_stage(key, logits, offsets, grid, example)

        rpn, rois = jax.vmap(first)(each, *proposed, examples)
        logits, offsets = self._second_stage(variables, levels, rois['boxes'])

        def second(logits, offsets, roi, example):
            own = roi['truth'], roi['positive'], roi['valid']
            return losses.head_loss(logits, offsets, roi['boxes'], *own, example['boxes'], example['label'])

        head = jax.vmap(second)(logits, offsets, rois, examples)
        parts = (*losses.divided(rpn), *losses.divided(head))
        loss = sum(parts)
        measured = dict(zip(self.metric_names, (loss, *parts), strict=True))
        return loss, (updated.get('batch_stats', {}), measured)

    def _first_stage(self, key, logits, offsets, grid, example):
        """The proposals' loss of an image, and what of them the second stage is trained on."""
        real = jnp.arange(len(example['boxes'])) < example['count']
        valid = self._valid(grid, example['size'])
        every, usable = np.concatenate(grid.boxes), jnp.concatenate(valid)
        keys_of = jax.random.split(key)
        assigned = assign(iou(example['boxes'], every), real, usable, **RPN)
        sampled = sample(keys_of[0], assigned, size=self.counts['rpn_sample'], positive_share=0.5)
        flat = jnp.concatenate(logits), jnp.concatenate(offsets)
        rpn = losses.rpn_loss(*flat, every, assigned, sampled, example['boxes'])
        found, _, kept = self._proposals(logits, offsets, grid, valid, example['size'], 'candidates')
        assigned = assign(iou(example['boxes'], found), real, kept, **HEAD)
        found, assigned = append_truth(found, assigned, example['boxes'], real)
        chosen = sample(keys_of[1], assigned, size=self.counts['head_sample'], positive_share=0.25)
        roi = {'boxes': found[chosen.rows], 'truth': assigned[chosen.rows]}
        return rpn, roi | {'positive': chosen.positive, 'valid': chosen.valid}

    def measure(self, params, batch_stats, batch):
        variables = {'params': params, 'batch_stats': batch_stats}
        levels = self.model.apply(variables, normal(batch, self.dataset)['images'], method='pyramid')
        proposed = self.model.apply(variables, levels, method='propose')
        grid = self._grid(levels)

        def first(logits, offsets, size):
            valid = self._valid(grid, size)
            return self._proposals(logits, offsets, grid, valid, size, 'eval_candidates')

        rois, _, kept = jax.vmap(first)(*proposed, batch['size'])
        logits, offsets = self._second_stage(variables, levels, rois)

        def last(inputs):
            logits, offsets, rois, kept, size = inputs
            found = clip(decode(offsets, rois[:, None], stds=HEAD_STDS), size)
            how = dict(least=self.least, threshold=self.threshold, size=self.counts['size'])
            return detections(found, jax.nn.softmax(logits)[:, :-1], kept, **how)

        found = jax.lax.map(last, (logits, offsets, rois, kept, batch['size']))
        return {}, found._asdict() | {'boxes': found.boxes / batch['scale'][:, None]}

    def summarise(self, sums, rows, split):
        return summary(rows, split, self.measured, self.dataset.num_classes)

    def _grid(self, levels):
        shapes = [level.shape[1:3] for level in levels]
        return Grid(shapes, anchors.fpn_anchors(shapes, strides=STRIDES, scale=self.anchor_scale))

    def _valid(self, grid, size):
        """Which anchors are of an image's own cells, bool [A] of each level."""
        padded = jnp.ceil(size / MULTIPLE) * MULTIPLE
        return anchors.inside(grid.shapes, padded, strides=STRIDES)

    def _proposals(self, logits, offsets, grid, valid, size, before):
        counts = dict(before=self.counts[before], after=self.counts['proposals'])
        return propose(logits, offsets, grid.boxes, valid, size, **counts)

    def _second_stage(self, variables, levels, rois):
        """Logits [B, R, C + 1] and offsets [B, R, C, 4] of boxes [B, R, 4]."""

        def pool(inputs):
            levels, rois = inputs
            how = dict(strides=STRIDES[:POOLED], ratio=self.ratio)
            return roi_align(levels, rois, level_of(rois, levels=POOLED), **how)

        features = jax.lax.map(pool, (levels[:POOLED], rois))
        flat = features.reshape(-1, *features.shape[2:])
        found = self.model.apply(variables, flat, method='classify')
        return jax.tree.map(lambda x: x.reshape(*rois.shape[:2], *x.shape[1:]), found)
