"""Inputs from seeded generators, and what resizemix_jax.detection makes of them: the cases of detection.npz.

A case is a function of (rng, size) that returns its inputs, NumPy arrays, and one of those that returns
results by name, which `make_detection` has of torchvision, too.
"""

import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax.detection import anchors as anchors_
from resizemix_jax.detection import boxes as boxes_
from resizemix_jax.detection import losses
from resizemix_jax.detection.assign import SSD, assign
from resizemix_jax.detection.nms import detections, nms
from resizemix_jax.detection.proposals import propose
from resizemix_jax.detection.roi_align import level_of, roi_align

KINDS = 'plain', 'tied', 'grid', 'copies'
THRESHOLDS = 0.3, 0.45, 0.5, 0.6, 0.7
ABOVE_ONLY = (-float('inf'), boxes_.LARGEST_LOG)  # torchvision clips the logarithms on one side
IMAGE = 96, 144  # (h, w) of most cases
CLASSES = 5
NMS = jax.jit(nms, static_argnames=('threshold', 'size'))
FIND = jax.jit(detections, static_argnames=('least', 'threshold', 'size', 'most'))
PROPOSE = jax.jit(propose, static_argnames=('before', 'after', 'threshold', 'least_side', 'logs'))
ALIGN = jax.jit(roi_align, static_argnames=('strides', 'ratio', 'aligned'))


def random_boxes(rng, count, kind='plain', side=100):
    """Boxes float32 [count, 4] and scores of a kind that NMS may go wrong on."""
    if kind == 'grid':  # IoUs that are exactly the thresholds, and boxes without width
        low = rng.randint(0, side // 10, (count, 2)) * 5.0
        extent = rng.randint(0, 6, (count, 2)) * 5.0
    else:
        low, extent = rng.uniform(0, 0.7 * side, (count, 2)), rng.uniform(2, 0.4 * side, (count, 2))
    boxes = np.concatenate([low, low + extent], axis=1).astype(np.float32)
    if kind == 'copies':
        boxes = boxes[rng.randint(0, max(count // 4, 1), count)]
    scores = rng.uniform(0.01, 1, count).astype(np.float32)
    return boxes, np.round(scores, 1) if kind == 'tied' else scores


def nms_inputs(rng, size):
    inputs = {}
    for kind in KINDS:
        boxes, scores = random_boxes(rng, size, kind)
        inputs |= {f'{kind}_boxes': boxes, f'{kind}_scores': scores, f'{kind}_valid': rng.rand(size) < 0.9}
    return inputs


def nms_results(inputs):
    """The kept boxes in their order, -1 from where there are no more, [thresholds, size] a kind."""
    results = {}
    for kind in KINDS:
        boxes, scores, valid = (inputs[f'{kind}_{name}'] for name in ('boxes', 'scores', 'valid'))
        found = [NMS(boxes, scores, valid, threshold=t, size=len(scores)) for t in THRESHOLDS]
        results[kind] = np.stack([np.where(kept, index, -1) for index, kept in found]).astype(np.int16)
    return results


def batched_nms_inputs(rng, size):
    inputs = {}
    for kind in ('plain', 'grid'):
        boxes, scores = random_boxes(rng, size, kind)
        inputs |= {f'{kind}_boxes': boxes, f'{kind}_scores': scores}
    return inputs | {'label': rng.randint(0, CLASSES, size)}


def batched_nms_results(inputs):
    """Boxes, best first, of a detector that gives a score in one class to each."""
    results = {}
    for kind in ('plain', 'grid'):
        boxes, scores = inputs[f'{kind}_boxes'], inputs[f'{kind}_scores']
        table = scores[:, None] * (np.arange(CLASSES) == inputs['label'][:, None])
        valid = np.ones(len(boxes), bool)
        found = FIND(boxes, table.astype(np.float32), valid, least=0, threshold=0.5, size=len(boxes))
        results |= {f'{kind}_score': found.score, f'{kind}_label': found.label.astype(jnp.int8)}
    return results


def roi_align_inputs(rng, size):
    """Boxes inside, empty, beyond the image, of all of it, and with sides of whole numbers of cells."""
    height, width = IMAGE
    boxes, _ = random_boxes(rng, size, side=height)
    special = [
        (10, 10, 10, 30), (0, 0, width, height), (-40, -40, 20, 20), (width - 5, 91, width + 60, height),
        (-90, -90, -50, -50), (4, 8, 4 + 4 * 7, 8 + 4 * 14), (2, 2, 2 + 4 * 21, 2 + 4 * 7), (0, 0, 2, 2),
    ]  # fmt: skip
    boxes[: len(special)] = special
    return {
        'features': rng.standard_normal((height // 4, width // 4, 2)).astype(np.float32),
        'boxes': boxes,
        'weights': rng.standard_normal((size, 7, 7, 2)).astype(np.float32),
    }


def roi_align_results(inputs):
    """One channel of the results, and some of the gradients of a weighted sum of all."""
    results = {}
    level = jnp.zeros(len(inputs['boxes']), jnp.int32)
    for aligned in (True, False):
        for ratio in (2, 0):
            laws = dict(strides=(4,), ratio=ratio, aligned=aligned)
            run = lambda f, laws=laws: ALIGN([f], inputs['boxes'], level, **laws)  # noqa: E731
            pooled, pull = jax.vjp(run, inputs['features'])
            name = f'{"aligned" if aligned else "plain"}_{ratio}'
            results[name] = pooled[..., 0]
            results[f'{name}_gradient'] = pull(jnp.asarray(inputs['weights']))[0][::6, :, 0]
    return results


def boxes_inputs(rng, size):
    grid, _ = random_boxes(rng, size, 'grid')
    plain, _ = random_boxes(rng, size)
    sizes = rng.uniform(0.5, 2, (size, 1)).astype(np.float32)
    anchors = plain * sizes
    offsets = rng.standard_normal((size, 4)).astype(np.float32) * 2
    offsets[:2, 2:] = 30, -30  # beyond what is clipped
    return {'grid': grid, 'plain': plain, 'anchors': anchors, 'offsets': offsets}


def boxes_results(inputs):
    plain, anchors, offsets = (inputs[name] for name in ('plain', 'anchors', 'offsets'))
    results = {'iou': jax.jit(boxes_.iou)(np.concatenate([inputs['grid'], plain]), plain)}
    for name, stds in (('rpn', boxes_.RPN_STDS), ('head', boxes_.HEAD_STDS)):
        results[f'encode_{name}'] = boxes_.encode(plain, anchors, stds=stds)
        decoded = boxes_.decode(offsets, anchors, stds=stds, logs=ABOVE_ONLY)
        results[f'decode_{name}'] = decoded / np.maximum(1, abs(decoded) / 100)  # some are of 10^4 pixels
    return results


def anchors_inputs(rng, size):
    return {'rows': rng.randint(0, 8732, size), 'fpn_rows': rng.randint(0, 5000, size)}


def anchors_results(inputs):
    shapes = anchors_.cells(*IMAGE, anchors_.FPN_STRIDES)
    fpn = np.concatenate(anchors_.fpn_anchors(shapes))
    ssd = np.concatenate(anchors_.ssd_anchors())
    return {
        'fpn_count': np.array(len(fpn)),
        'fpn': np.round(fpn[inputs['fpn_rows'] % len(fpn)]),
        'ssd_count': np.array(len(ssd)),
        'ssd': ssd[inputs['rows']],
        'ssd_mean': ssd.astype(np.float64).sum(0) / len(ssd),
    }


def level_inputs(rng, size):
    side = np.exp(rng.uniform(np.log(8), np.log(1400), (size, 2)))
    for k, exact in enumerate((56, 112, 224, 448, 896)):
        side[2 * k] = exact
        side[2 * k + 1] = exact / 2, exact * 2
    low = rng.uniform(0, 50, (size, 2)).round()  # whole, so that exact sides stay exact
    return {'boxes': np.concatenate([low, low + side.round()], axis=1).astype(np.float32)}


def level_results(inputs):
    return {'level': level_of(inputs['boxes']).astype(jnp.int8)}


def matcher_inputs(rng, size):
    truth, _ = random_boxes(rng, 6, 'grid')
    truth[5] = truth[4]  # twice the same
    return {'anchors': random_boxes(rng, size, 'grid')[0], 'truth': truth}


def matcher_results(inputs):
    overlaps = boxes_.iou(inputs['truth'], inputs['anchors'])
    valid = np.ones(6, bool)
    return {
        'head': assign(overlaps, valid, positive=0.7, negative=0.3).astype(jnp.int8),
        'ssd': assign(overlaps, valid, **SSD).astype(jnp.int8),
    }


def proposals_inputs(rng, size):
    shapes = anchors_.cells(*IMAGE, anchors_.FPN_STRIDES)
    counts = [3 * h * w for h, w in shapes]
    # Apart enough that no two scores are equal: torchvision orders by the sigmoids, which round.
    logits = rng.permutation(np.linspace(-4, 4, sum(counts)))
    return {
        'logits': logits.astype(np.float32),
        'offsets': rng.standard_normal((sum(counts), 4)).astype(np.float32) * 0.2,
        'size': np.array([IMAGE[0] - 6, IMAGE[1] - 4]),
        'after': np.array(size),
    }


def proposals_results(inputs):
    shapes = anchors_.cells(*IMAGE, anchors_.FPN_STRIDES)
    levels = anchors_.fpn_anchors(shapes)
    cuts = np.cumsum([len(level) for level in levels])[:-1]
    logits, offsets = np.split(inputs['logits'], cuts), np.split(inputs['offsets'], cuts)
    valid = [np.ones(len(level), bool) for level in levels]
    laws = dict(before=100, after=int(inputs['after']), threshold=0.7, least_side=1e-3, logs=ABOVE_ONLY)
    boxes, scores, kept = PROPOSE(logits, offsets, levels, valid, inputs['size'], **laws)
    return {'boxes': boxes, 'scores': scores, 'count': kept.sum()}


def detections_inputs(rng, size):
    boxes, _ = random_boxes(rng, size, side=IMAGE[0])
    return {
        'boxes': boxes,
        'logits': rng.standard_normal((size, CLASSES + 1)).astype(np.float32) * 2,
        'offsets': rng.standard_normal((size, CLASSES, 4)).astype(np.float32),
    }


def detections_results(inputs):
    """Of Faster R-CNN, and of SSD with the offsets of class 0."""
    scores = jax.nn.softmax(inputs['logits'])[:, :-1]
    valid = np.ones(len(scores), bool)
    results = {}
    for name, offsets, anchors, laws in (
        ('head', inputs['offsets'], inputs['boxes'][:, None], dict(least=0.05, threshold=0.5, size=40)),
        ('ssd', inputs['offsets'][:, 0], inputs['boxes'], dict(least=0.02, threshold=0.45, size=40, most=30)),
    ):
        boxes = boxes_.decode(offsets, anchors, stds=boxes_.HEAD_STDS, logs=ABOVE_ONLY)
        found = FIND(boxes_.clip(boxes, IMAGE), scores, valid, **laws)
        results |= {f'{name}_boxes': found.boxes, f'{name}_scores': found.score}
        results[f'{name}_label'] = found.label.astype(jnp.int8)
    return results


def ssd_loss_inputs(rng, size):
    """Four images, one of them without a ground truth."""
    return {
        'logits': rng.standard_normal((4, size, CLASSES + 1)).astype(np.float32) * 2,
        'offsets': rng.standard_normal((4, size, 4)).astype(np.float32) * 2,
        'anchors': random_boxes(rng, size)[0],
        'boxes': np.stack([random_boxes(rng, 6)[0] for _ in range(4)]),
        'label': rng.randint(0, CLASSES, (4, 6)),
        'count': np.array([6, 0, 1, 3]),
    }


def ssd_loss_results(inputs):
    boxes, anchors, label = inputs['boxes'], inputs['anchors'], jnp.asarray(inputs['label'])
    valid = np.arange(6) < inputs['count'][:, None]
    assigned = jax.vmap(lambda b, v: assign(boxes_.iou(b, anchors), v, **SSD))(boxes, valid)

    def loss(logits, offsets):
        one = jax.vmap(lambda *a: losses.ssd_loss(a[0], a[1], anchors, *a[2:]))
        sums = one(logits, offsets, assigned, boxes, label)
        sums = sums._replace(divisor=jnp.sum(assigned >= 0, axis=1))  # torchvision's divisor
        parts = jnp.stack(losses.divided(sums))
        return parts.sum(), parts

    gradients, parts = jax.jit(jax.grad(loss, (0, 1), has_aux=True))(inputs['logits'], inputs['offsets'])
    return {'loss': parts, 'logits_gradient': gradients[0], 'offsets_gradient': gradients[1]}


# name -> (inputs, results, size in detection.npz, size in `make_detection check`)
CASES = {
    'nms': (nms_inputs, nms_results, 40, 256),
    'batched_nms': (batched_nms_inputs, batched_nms_results, 40, 256),
    'roi_align': (roi_align_inputs, roi_align_results, 14, 200),
    'boxes': (boxes_inputs, boxes_results, 12, 200),
    'anchors': (anchors_inputs, anchors_results, 40, 8000),
    'level': (level_inputs, level_results, 40, 2000),
    'matcher': (matcher_inputs, matcher_results, 80, 500),
    'proposals': (proposals_inputs, proposals_results, 30, 300),
    'detections': (detections_inputs, detections_results, 60, 400),
    'ssd_loss': (ssd_loss_inputs, ssd_loss_results, 24, 2000),
}
# What results may differ by, and of a part of a name what those may: three times the differences of these
# kernels' first measurement (float32, CPU). Of what is not here, labels, counts and what NMS keeps, nothing.
APART = {
    'roi_align': 3 * 2.0e-5,
    'boxes': 3 * 3e-5,
    'boxes/iou': 0,
    'anchors/ssd': 3 * 3.1e-5,
    'anchors/ssd_mean': 3 * 3.1e-5,
    'proposals': 3 * 1.5e-5,
    'detections': 3 * 1.5e-5,
    'ssd_loss': 3 * 1.5e-8,
    'ssd_loss/loss': 3 * 1.7e-7,
}


def apart(name, key, expected, found):
    """The largest difference, relative to the size for 'ssd_loss/loss', and what it may be."""
    limit = APART.get(f'{name}/{key}', APART.get(name, 0))
    if key.endswith(('count', 'label')):
        limit = 0
    expected = np.nan_to_num(np.asarray(expected, float))  # torchvision's IoU of two empty boxes
    difference = abs(expected - found)
    if (name, key) == ('ssd_loss', 'loss'):
        difference /= expected
    return difference.max(initial=0.0), limit


def inputs(name, seed=0, size=None):
    """The inputs of a case, of the size of detection.npz unless another is given."""
    make, _, small, _ = CASES[name]
    return make(np.random.RandomState(seed), size or small)


def results(name, inputs):
    """What the package makes of them, NumPy arrays by name."""
    return {key: np.asarray(value) for key, value in CASES[name][1](inputs).items()}
