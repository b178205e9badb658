import sys

import numpy as np
import pytest

from resizemix_jax.detection.average_precision import NUMBERS, coco, coco_api, voc
from tests.reference.detection_cases import random_boxes

CLASSES = 3


def truth(boxes, label, ignore=None):
    boxes = np.array(boxes, float).reshape(-1, 4)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    ignore = np.zeros(len(boxes), bool) if ignore is None else np.array(ignore, bool)
    return {'boxes': boxes, 'label': np.array(label, int), 'ignore': ignore, 'area': area * 0.9}


def found(*images, size=8):
    """Detections of images that are lists of (box, score, label)."""
    detections = {
        'boxes': np.zeros((len(images), size, 4), np.float32),
        'score': np.zeros((len(images), size), np.float32),
        'label': np.full((len(images), size), -1, np.int32),
    }
    for i, image in enumerate(images):
        for k, (box, score, label) in enumerate(image):
            detections['boxes'][i, k], detections['score'][i, k], detections['label'][i, k] = (
                box,
                score,
                label,
            )
    return detections


def random_split(seed, images=12, size=20):
    """Detections near the truth and far from it, with equal scores, difficult boxes and empty images."""
    rng = np.random.RandomState(seed)
    truths, detections = [], []
    for _ in range(images):
        count = rng.randint(0, 6)
        boxes = random_boxes(rng, count, ('plain', 'grid')[rng.randint(2)])[0].astype(float) * rng.choice(
            [0.5, 3]
        )
        boxes[:, 2:] += 2
        truths.append(truth(boxes, rng.randint(0, CLASSES, count), rng.rand(count) < 0.2))
        near = boxes[rng.randint(0, count, 8)] + rng.uniform(-3, 3, (8, 4)) if count else boxes
        far = random_boxes(rng, rng.randint(0, 8))[0]
        label = truths[-1]['label'][rng.randint(0, count, 8)] if count else []
        label = [*label, *rng.randint(0, CLASSES, len(far))]
        scores = np.round(rng.rand(len(label)), 1)
        boxes = np.float32([*near, *far]).reshape(-1, 4)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        detections.append([*zip(boxes, scores, label, strict=True)][:size])
    return found(*detections, size=size), truths


SQUARES = [(0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (60, 0, 70, 10), (80, 0, 90, 10)]
MISS = (0, 50, 10, 60)


def test_both_rules_by_hand():
    """True, false, true, true, of 5: recall .2, .2, .4, .6, precision 1, 1/2, 2/3, 3/4."""
    truths = [truth(SQUARES, [0] * 5)]
    entries = [(SQUARES[0], 0.9, 0), (MISS, 0.8, 0), (SQUARES[1], 0.7, 0), (SQUARES[2], 0.6, 0)]
    detections = found(entries)
    area = voc(detections, truths, num_classes=2, rule='area')
    np.testing.assert_allclose(area['map'], 0.2 + 0.4 * 0.75)
    # Of the recalls 0, .1, ..., 1 the seventh is .6000000000000001, which 3 / 5 does not reach.
    eleven = voc(detections, truths, num_classes=2)
    np.testing.assert_allclose(eleven['map'], (3 + 3 * 0.75) / 11)
    np.testing.assert_array_equal(np.isnan(eleven['per_class']), [False, True])


def test_difficult_boxes_are_neither_true_nor_false():
    truths = [truth(SQUARES[:2], [0, 0], [True, False])]
    entries = [(SQUARES[0], 0.9, 0), (SQUARES[0], 0.8, 0), (SQUARES[1], 0.7, 0)]
    assert voc(found(entries), truths, num_classes=1, rule='area')['map'] == 1
    assert voc(found(entries[:2]), truths[:1], num_classes=1)['map'] == 0
    only = [truth(SQUARES[:1], [0], [True])]
    assert voc(found(entries), only, num_classes=1)['map'] == 0  # no class has a box to find


def test_the_second_detection_of_a_box_is_false():
    truths = [truth(SQUARES[:2], [0, 0])]
    entries = [(SQUARES[0], 0.7, 0), (SQUARES[0], 0.8, 0), (SQUARES[1], 0.6, 0)]
    np.testing.assert_allclose(
        voc(found(entries), truths, num_classes=1, rule='area')['map'], (1 + 2 / 3) / 2
    )


def test_the_conventions_differ_at_the_threshold_and_in_the_sides():
    truths = [truth([(0, 0, 10, 10)], [0])]
    half = found([((0, 0, 10, 5), 0.9, 0)])  # an overlap of 1/2, and of 66 / 121 with one more pixel
    near = found([((0, 0, 20, 9), 0.9, 0)])  # 90 / 190, and 110 / 221
    even = found([((0, 0, 21, 10), 0.9, 0)])  # 100 / 210, and 11 / 22
    score = lambda d, convention: voc(d, truths, num_classes=1, convention=convention)['map']  # noqa: E731
    assert [score(half, c) for c in ('mmdet', 'devkit')] == [1, 1]
    assert [score(near, c) for c in ('mmdet', 'devkit')] == [0, 0]
    assert [score(even, c) for c in ('mmdet', 'devkit')] == [0, 0]
    assert voc(half, truths, num_classes=1, overlap=0.54, convention='devkit')['map'] == 1
    assert voc(half, truths, num_classes=1, overlap=0.54)['map'] == 0


def voc_written_out(detections, truths, rule, convention):
    """tpfp_default and eval_map of MMDetection, and the development kit's, one detection at a time."""
    scores = []
    for c in range(CLASSES):
        total, rows = 0, []
        for i, image in enumerate(truths):
            own = image['label'] == c
            boxes, ignore = image['boxes'][own], image['ignore'][own]
            total += sum(~ignore)
            covered = np.zeros(len(boxes), bool)
            entries = np.flatnonzero(detections['label'][i] == c)
            for k in entries[np.argsort(-detections['score'][i, entries], kind='stable')]:
                overlaps = [one_overlap(detections['boxes'][i, k], box, convention) for box in boxes]
                best = int(np.argmax(overlaps)) if overlaps else -1
                enough = best >= 0 and (
                    overlaps[best] >= 0.5 if convention == 'mmdet' else overlaps[best] > 0.5
                )
                true = false = 0
                if not enough:
                    false = 1
                elif not ignore[best]:
                    true, false = int(not covered[best]), int(covered[best])
                    covered[best] = True
                rows.append((detections['score'][i, k], true, false))
        if total:
            order = np.argsort([-row[0] for row in rows], kind='stable')
            true, false = (np.cumsum([rows[k][part] for k in order]) for part in (1, 2))
            scores.append(curve(true / total, true / np.maximum(true + false, 1e-9), rule))
    return np.mean(scores)


def one_overlap(a, b, convention):
    a, b = (np.float32(box) if convention == 'mmdet' else np.float64(box) for box in (a, b))
    more = int(convention == 'devkit')
    width, height = (max(min(a[k + 2], b[k + 2]) - max(a[k], b[k]) + more, 0) for k in (0, 1))
    areas = [(box[2] - box[0] + more) * (box[3] - box[1] + more) for box in (a, b)]
    return width * height / (areas[0] + areas[1] - width * height)


def curve(recall, precision, rule):
    if rule == '11-point':
        points = [
            max([p for r, p in zip(recall, precision, strict=True) if r >= at], default=0)
            for at in np.arange(0, 1.1, 0.1)
        ]
        return sum(points) / 11
    recall, precision = [0, *recall, 1], [0, *precision, 0]
    for k in range(len(precision) - 2, -1, -1):
        precision[k] = max(precision[k], precision[k + 1])
    return sum((recall[k + 1] - recall[k]) * precision[k + 1] for k in range(len(recall) - 1))


@pytest.mark.parametrize('convention', ['mmdet', 'devkit'])
@pytest.mark.parametrize('rule', ['11-point', 'area'])
def test_voc_is_as_written_out(rule, convention):
    for seed in range(6):
        detections, truths = random_split(seed)
        wanted = voc_written_out(detections, truths, rule, convention)
        got = voc(detections, truths, num_classes=CLASSES, rule=rule, convention=convention)
        np.testing.assert_allclose(got['map'], wanted, rtol=1e-12)
        assert 0.05 < wanted < 0.95


def coco_written_out(detections, truths):
    """COCOeval in NumPy: the precision [threshold, recall, class] and recall of a range of areas."""
    thresholds, points = np.linspace(0.5, 0.95, 10), np.linspace(0, 1, 101)

    def one_class(c, low, high, most):
        rows, total = [], 0
        for i, image in enumerate(truths):
            own = image['label'] == c
            ignore = image['ignore'][own] | (image['area'][own] < low) | (image['area'][own] > high)
            order = np.argsort(ignore, kind='stable')
            boxes, ignore = image['boxes'][own][order], ignore[order]
            crowd, total = image['ignore'][own][order], total + sum(~ignore)
            entries = np.flatnonzero(detections['label'][i] == c)
            entries = entries[np.argsort(-detections['score'][i, entries], kind='stable')][:most]
            taken = np.zeros((10, len(boxes)), bool)
            for k in entries:
                box = detections['boxes'][i, k].astype(float)
                true, skip = np.zeros(10, bool), np.zeros(10, bool)
                size = np.prod(box[2:] - box[:2])
                for t, best in enumerate(thresholds):
                    match = -1
                    for g in range(len(boxes)):
                        if (taken[t, g] and not crowd[g]) or (match >= 0 and not ignore[match] and ignore[g]):
                            continue
                        sides = np.minimum(box[2:], boxes[g, 2:]) - np.maximum(box[:2], boxes[g, :2])
                        shared = np.prod(np.maximum(sides, 0))
                        union = size if crowd[g] else size + np.prod(boxes[g, 2:] - boxes[g, :2]) - shared
                        if shared / union >= best:
                            best, match = shared / union, g
                    true[t] = match >= 0
                    skip[t] = ignore[match] if match >= 0 else not low <= size <= high
                    if match >= 0:
                        taken[t, match] = True
                rows.append((detections['score'][i, k], true, skip))
        if not total:
            return np.full((10, 101), -1.0), np.full(10, -1.0)
        rows.sort(key=lambda row: -row[0])
        precision, recall = np.zeros((10, 101)), np.zeros(10)
        for t in range(10):
            true = np.cumsum([row[1][t] and not row[2][t] for row in rows])
            false = np.cumsum([not row[1][t] and not row[2][t] for row in rows])
            got = true / total
            recall[t] = got[-1] if len(got) else 0
            exact = true / np.maximum(true + false, np.spacing(1))
            for r, point in enumerate(points):
                precision[t, r] = exact[got >= point].max() if len(got) and (got >= point).any() else 0
        return precision, recall

    def numbers(low=0, high=1e10, most=100, threshold=slice(None)):
        both = [one_class(c, low, high, most) for c in range(CLASSES)]
        parts = [np.array(part)[:, threshold] for part in zip(*both, strict=True)]
        return [part[part > -1].mean() if (part > -1).any() else -1 for part in parts]

    ranges = [(0, 32**2), (32**2, 96**2), (96**2, 1e10)]
    return [
        numbers()[0], numbers(threshold=0)[0], numbers(threshold=5)[0], *(numbers(*r)[0] for r in ranges),
        *(numbers(most=m)[1] for m in (1, 10, 100)), *(numbers(*r)[1] for r in ranges),
    ]  # fmt: skip


def test_coco_is_as_written_out():
    """With crowds, equal scores, and boxes of all three ranges of areas."""
    for seed in range(2):
        detections, truths = random_split(seed)
        got = coco(detections, truths, num_classes=CLASSES)
        assert tuple(got) == NUMBERS
        np.testing.assert_allclose([*got.values()], coco_written_out(detections, truths), atol=1e-12)
        assert 0.02 < got['map'] < got['map_50'] < 1


def test_nothing_found_and_nothing_to_find(capsys):
    truths = [truth(SQUARES, [0] * 5), truth([], [])]
    assert coco(found([], []), truths, num_classes=2)['map'] == 0
    assert voc(found([], []), truths, num_classes=2)['map'] == 0
    one = found([(MISS, 0.5, 0)], [])
    assert coco(one, [truth([], [])] * 2, num_classes=2)['map'] == -1
    assert voc(one, [truth([], [])] * 2, num_classes=2)['map'] == 0
    assert voc(found(), [], num_classes=2)['map'] == 0
    assert capsys.readouterr().out == ''


def test_a_perfect_detector():
    truths = [truth(SQUARES, [0, 1, 2, 0, 1]), truth(SQUARES[:1], [2])]
    entries = [[(b, 0.9, c) for b, c in zip(t['boxes'], t['label'], strict=True)] for t in truths]
    for score in (coco, voc):
        np.testing.assert_allclose(score(found(*entries), truths, num_classes=3)['map'], 1)


def test_what_is_refused(monkeypatch):
    with pytest.raises(ValueError, match='detections of 1 images, truths of 2'):
        voc(found([]), [truth([], [])] * 2, num_classes=1)
    with pytest.raises(ValueError, match="rule='all' must be of"):
        voc(found([]), [truth([], [])], num_classes=1, rule='all')
    monkeypatch.setitem(sys.modules, 'pycocotools', None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'resizemix-jax\[detection\]'"):
        coco_api()
