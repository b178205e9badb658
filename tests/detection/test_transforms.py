"""A whole detector's arithmetic is that of one image, whatever its images are mapped over."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from resizemix_jax.detection import assign as assign_
from resizemix_jax.detection import sample as sample_
from resizemix_jax.detection.anchors import cells, fpn_anchors, inside
from resizemix_jax.detection.assign import append_truth, assign
from resizemix_jax.detection.boxes import iou
from resizemix_jax.detection.losses import head_loss, rpn_loss, ssd_loss
from resizemix_jax.detection.nms import detections, nms
from resizemix_jax.detection.proposals import propose
from resizemix_jax.detection.roi_align import level_of, roi_align
from resizemix_jax.detection.sample import sample
from tests.reference.detection_cases import random_boxes

IMAGES, SIDE, STRIDES, CLASSES = 4, 64, (8, 16), 3
SHAPES = cells(SIDE, SIDE, STRIDES)


def batch():
    rng = np.random.RandomState(0)
    normal = lambda *shape: jnp.asarray(rng.standard_normal((IMAGES, *shape)), jnp.float32)  # noqa: E731
    return {
        'maps': [normal(h, w, 4) for h, w in SHAPES],
        'logits': [normal(3 * h * w) for h, w in SHAPES],
        'offsets': [normal(3 * h * w, 4) * 0.3 for h, w in SHAPES],
        'boxes': jnp.stack([random_boxes(rng, 5, side=SIDE)[0] for _ in range(IMAGES)]),
        'label': jnp.asarray(rng.randint(0, CLASSES, (IMAGES, 5))),
        'box_valid': jnp.arange(5) < jnp.array([[3], [0], [5], [1]]),
        'size': jnp.array([[64, 64], [50, 64], [64, 40], [32, 32.0]]),
        'key': jax.random.split(jax.random.key(0), IMAGES),
    }


def first_stage(image, boxes, valid):
    levels = fpn_anchors(SHAPES, strides=STRIDES, scale=2)
    own = inside(SHAPES, jnp.ceil(image['size'] / 32) * 32, strides=STRIDES)
    logits, offsets = jnp.concatenate(image['logits']), jnp.concatenate(image['offsets'])
    anchors = jnp.concatenate(levels)
    assigned = assign(iou(boxes, anchors), valid, jnp.concatenate(own), **assign_.RPN)
    sampled = sample(image['key'], assigned, size=32, positive_share=0.5)
    ssd = ssd_loss(
        jnp.stack([logits, -logits, 0 * logits, logits / 2], 1), offsets, anchors,
        assign(iou(boxes, anchors), valid, **assign_.SSD), boxes, image['label'],
    )  # fmt: skip
    loss = rpn_loss(logits, offsets, anchors, assigned, sampled, boxes)
    proposals = propose(image['logits'], image['offsets'], levels, own, image['size'], before=30, after=24)
    return proposals, (loss, ssd)


def detector(image):
    boxes, valid = image['boxes'], image['box_valid']
    (proposals, scores, found), losses = first_stage(image, boxes, valid)
    assigned = jnp.where(found, assign(iou(boxes, proposals), valid, **assign_.HEAD), assign_.IGNORED)
    proposals, assigned = append_truth(proposals, assigned, boxes, valid)
    index, positive, drawn = sample(image['key'], assigned, **sample_.HEAD | {'size': 16})
    chosen = proposals[index]
    pooled = roi_align(
        image['maps'], chosen, level_of(chosen, levels=2, finest=14), strides=STRIDES, at_once=8
    )
    logits = pooled.mean((1, 2))
    offsets = jnp.broadcast_to(pooled[:, 0, :CLASSES, None, 0], (16, CLASSES, 4))
    head = head_loss(logits, offsets, chosen, assigned[index], positive, drawn, boxes, image['label'])
    results = detections(chosen, jax.nn.softmax(logits)[:, :-1], drawn, least=0.05, threshold=0.5, size=10)
    return losses, head, results, nms(proposals[:24], scores, found, threshold=0.3, size=6)


def total(image):
    losses, head, _, _ = detector(image)
    return sum(jnp.sum(part) for part in jax.tree.leaves((losses, head)))


def split(batch):
    """What is differentiated by, and the rest."""
    learned = {name: batch[name] for name in ('maps', 'logits', 'offsets')}
    return learned, {name: batch[name] for name in batch.keys() - learned.keys()}


@pytest.fixture(scope='module')
def expected():
    run = jax.jit(detector)
    images = [jax.tree.map(lambda a, i=i: a[i], batch()) for i in range(IMAGES)]
    return jax.tree.map(lambda *parts: np.stack(parts), *map(run, images))


def over_devices(function, how):
    mesh = Mesh(np.array(jax.devices()[:2]), 'd')
    part = PartitionSpec('d')
    return {
        'vmap': jax.jit(jax.vmap(function)),
        'pmap': lambda tree: jax.tree.map(
            lambda a: a.reshape(-1, *a.shape[2:]),
            jax.pmap(jax.vmap(function))(jax.tree.map(lambda a: a.reshape(2, 2, *a.shape[1:]), tree)),
        ),
        'shard_map': jax.jit(jax.shard_map(jax.vmap(function), mesh=mesh, in_specs=part, out_specs=part)),
    }[how]


@pytest.mark.parametrize(
    'how', ['vmap', *(pytest.param(how, marks=pytest.mark.slow) for how in ('pmap', 'shard_map'))]
)
def test_a_batch_is_its_images(how, expected):
    found = over_devices(detector, how)(batch())
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-5)
    (rpn, ssd), head, results, _ = expected
    assert (rpn.classes > 0).all() and ssd.classes[1] == 0 and (head.boxes[[0, 2]] > 0).all()
    assert (results.label >= 0).any(1).all()


@pytest.mark.parametrize('how', ['vmap', 'shard_map'])
@pytest.mark.slow
def test_gradients_of_a_batch_are_finite(how):
    learned, rest = split(batch())
    gradient = over_devices(lambda tree: jax.grad(lambda a: total(a | tree[1]))(tree[0]), how)
    found = gradient((learned, rest))
    for name, levels in found.items():
        assert all(np.isfinite(leaf).all() for leaf in levels)
        assert any(leaf.any() for leaf in levels), name


def test_arrays_of_numpy_are_taken(expected):
    """Also as constants of a compiled function, as an image's annotations may be."""
    image = jax.tree.map(lambda a: a[0], batch())
    key = image.pop('key')
    image = jax.tree.map(np.asarray, image)
    found = jax.jit(lambda key: detector(image | {'key': key}))(key)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b[0], rtol=1e-5, atol=2e-5)
