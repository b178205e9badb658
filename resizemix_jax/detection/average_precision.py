"""Average precision of detections: PASCAL VOC's, in NumPy, and COCO's, by pycocotools.

Shared contract, of a split of I images:
    detections  'boxes' float [I, K, 4], 'score' float [I, K], 'label' int [I, K], -1 where there is none;
                in pixels of the original images, as the truth is. The order within an image is free.
    truths      one mapping an image: 'boxes' float [G, 4], 'label' int [G], 'ignore' bool [G] (difficult in
                VOC, crowd in COCO), and for COCO 'area' float [G], in square pixels.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from resizemix_jax.errors import not_installed
from resizemix_jax.ranges import POSITIVE, Whole

CONVENTIONS = 'mmdet', 'devkit'
RULES = '11-point', 'area'
# pycocotools' twelve numbers, in its order.
NUMBERS = (
    'map', 'map_50', 'map_75', 'map_small', 'map_medium', 'map_large',
    'recall_1', 'recall_10', 'recall_100', 'recall_small', 'recall_medium', 'recall_large',
)  # fmt: skip


def voc(
    detections: Mapping[str, np.ndarray],
    truths: Sequence[Mapping[str, np.ndarray]],
    *,
    num_classes: int,
    rule: str = '11-point',
    convention: str = 'mmdet',
    overlap: float = 0.5,
) -> dict[str, Any]:
    """PASCAL VOC's mean average precision: {'map': float in [0, 1], 'per_class': float64 [C]}.

    Law: the detections of a class, over all images by descending score (equal ones in the order of images
    and entries), are each compared with the one box of their image and class that they overlap most, the
    first of equal ones. Below the threshold it is a false positive. A difficult box makes it neither true
    nor false, however often. Else it is true the first time, and false after that. Recall counts the boxes
    that are not difficult. With the precision and recall after each detection, AP is
        '11-point' (VOC 2007): the mean over r of 0, .1, ..., 1 of the largest precision at a recall >= r;
        'area' (VOC 2010 on): the area under the precision made non-increasing.
    'map' is the mean over the classes that have a box which is not difficult, 0 if none has; the others are
    NaN in 'per_class'.

    The conventions differ in the overlap that is enough, and in a box's sides:
        'mmdet'   >= overlap; x1 - x0, float32. MMDetection's eval_map, with boxes that begin at 0.
        'devkit'  > overlap; x1 - x0 + 1, float64, as the development kit has it. Copies of that (detectron2)
                  also round scores to 3 decimals and boxes to 1, which is not done here.
    The eleven recalls are those of np.arange(0, 1.1, .1) in float64, as in both: the seventh is more than
    .6, so a recall of 3/5 does not reach it.

    Args:
        detections, truths: see the contract of this module.
        num_classes: C.
        rule: of RULES.
        convention: of CONVENTIONS.
        overlap: the threshold, in (0, 1].

    Raises:
        ValueError: a word or number out of range; another number of images than of truths.
    """
    if rule not in RULES or convention not in CONVENTIONS:
        raise ValueError(f'rule={rule!r} must be of {RULES}, and convention={convention!r} of {CONVENTIONS}')
    Whole(1).check(num_classes=num_classes)
    POSITIVE.check(overlap=overlap)
    _check_images(detections, truths)
    found = _flat(detections)
    best, which = _best_truths(found, truths, convention)
    enough = best >= overlap if convention == 'mmdet' else best > overlap
    difficult = np.concatenate([np.zeros(0, bool), *(np.asarray(t['ignore'], bool) for t in truths)])
    label = np.concatenate([np.zeros(0, int), *(np.asarray(t['label'], int) for t in truths)])
    scores = np.full(num_classes, np.nan)
    for c in range(num_classes):
        total = np.sum((label == c) & ~difficult)
        if total:
            own = found['label'] == c
            true, false = _true_and_false(found['score'][own], enough[own], which[own], difficult)
            recall = np.cumsum(true) / total
            precision = np.cumsum(true) / np.maximum(np.cumsum(true) + np.cumsum(false), 1)
            scores[c] = AREAS[rule](recall, precision)
    return {'map': float(np.nanmean(scores)) if np.isfinite(scores).any() else 0.0, 'per_class': scores}


def coco(
    detections: Mapping[str, np.ndarray], truths: Sequence[Mapping[str, np.ndarray]], *, num_classes: int
) -> dict[str, float]:
    """COCO's twelve numbers, by pycocotools: the names in NUMBERS -> float in [0, 1].

    'map' is the mean over classes and the IoU thresholds .5, .55, ..., .95 of the mean of 101 precisions, of
    at most 100 detections an image and class. Crowd boxes make a detection within them neither true nor
    false. Small is an area below 32^2, large from 96^2 pixels on, by the truth's 'area'. A number of which
    there is no truth is -1, as there.

    Args:
        detections, truths: see the contract of this module.
        num_classes: C.

    Raises:
        ModuleNotFoundError: pycocotools is not installed; the extra `detection` has it.
        ValueError: another number of images than of truths.
    """
    api, evaluator = coco_api()
    Whole(1).check(num_classes=num_classes)
    _check_images(detections, truths)
    wanted = _annotations(truths)
    found = _flat(detections)
    boxes = found['boxes']
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    found |= {'area': area, 'ignore': np.zeros(len(boxes), bool)}
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        size = len(truths), num_classes
        indices = [_fill(api.COCO(), entries, *size) for entries in (wanted, found)]
        evaluation = evaluator.COCOeval(*indices, 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(NUMBERS, map(float, evaluation.stats), strict=True))


def coco_api() -> tuple[Any, Any]:
    """pycocotools' modules (coco, cocoeval). Who will call `coco` after a training calls this before it.

    Raises:
        ModuleNotFoundError: pycocotools is not installed; the message says how to.
    """
    try:
        from pycocotools import coco, cocoeval
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(not_installed(error) or str(error), name=error.name) from error
    return coco, cocoeval


def _check_images(detections, truths):
    if len(detections['label']) != len(truths):
        raise ValueError(f'detections of {len(detections["label"])} images, truths of {len(truths)}')


def _flat(detections):
    """The detections that there are, in one list: image, boxes, score, label."""
    label = np.asarray(detections['label'])
    image, entry = np.nonzero(label >= 0)
    boxes = np.asarray(detections['boxes'], np.float64)[image, entry]
    score = np.asarray(detections['score'])[image, entry]
    return {'image': image, 'boxes': boxes, 'score': score, 'label': label[image, entry]}


def _best_truths(found, truths, convention):
    """The overlap of each detection with its best box, -1 without any, and that box's place among all."""
    best, which = np.full(len(found['image']), -1.0), np.zeros(len(found['image']), int)
    begin = np.searchsorted(found['image'], np.arange(len(truths) + 1))
    before = 0
    for i, truth in enumerate(truths):
        rows = slice(begin[i], begin[i + 1])
        count = len(truth['label'])
        if count and begin[i] < begin[i + 1]:
            overlaps = _overlaps(found['boxes'][rows], np.asarray(truth['boxes']), convention)
            same = found['label'][rows, None] == np.asarray(truth['label'])
            overlaps = np.where(same, overlaps, -1)
            best[rows], which[rows] = overlaps.max(1), before + overlaps.argmax(1)
        before += count
    return best, which


def _overlaps(first, second, convention):
    """[N, M]: intersection over union by a convention."""
    dtype, more = (np.float32, 0) if convention == 'mmdet' else (np.float64, 1)
    a, b = first.astype(dtype)[:, None], second.astype(dtype)[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod(np.maximum(high - low + more, 0), axis=-1)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2] + more, axis=-1) for boxes in (a, b)]
    return shared / np.maximum(areas[0] + areas[1] - shared, dtype(1e-6))


def _true_and_false(score, enough, which, difficult):
    """By descending score, which detections of a class are true positives, and which are false."""
    order = np.argsort(-score, kind='stable')
    enough, which = enough[order], which[order]
    counts = enough & ~difficult[which] if len(difficult) else enough
    first = np.zeros(len(order), bool)
    places = np.flatnonzero(counts)
    first[places[np.unique(which[places], return_index=True)[1]]] = True
    return first, ~enough | (counts & ~first)


def _eleven_points(recall, precision):
    reached = [precision[recall >= r] for r in np.arange(0, 1.1, 0.1)]
    return sum(p.max() if len(p) else 0.0 for p in reached) / 11


def _area(recall, precision):
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return np.sum(np.diff(recall, prepend=0.0) * envelope)


AREAS = {'11-point': _eleven_points, 'area': _area}


def _annotations(truths):
    """The truths of all images in one list, as `_flat` makes it of detections."""
    image = np.repeat(np.arange(len(truths)), [len(t['label']) for t in truths])
    names = {'boxes': (0, 4), 'label': (0,), 'ignore': (0,), 'area': (0,)}
    return {'image': image} | {
        name: np.concatenate([np.zeros(empty), *(np.asarray(t[name]) for t in truths)])
        for name, empty in names.items()
    }


def _fill(index, entries, images, num_classes):
    """Puts annotations or detections into a COCO object. Their ids begin at 1: 0 means unmatched there."""
    boxes = entries['boxes']
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()
    columns = {
        'image_id': entries['image'].tolist(),
        'category_id': entries['label'].astype(int).tolist(),
        'bbox': corners,
        'area': entries['area'].tolist(),
        'iscrowd': entries['ignore'].astype(int).tolist(),
    }
    if 'score' in entries:
        columns['score'] = entries['score'].tolist()
    rows = zip(*columns.values(), strict=True)
    annotations = [dict(zip(columns, row, strict=True), id=k) for k, row in enumerate(rows, 1)]
    index.dataset = {
        'images': [{'id': i} for i in range(images)],
        'categories': [{'id': c} for c in range(num_classes)],
        'annotations': annotations,
    }
    index.createIndex()
    return index
