"""The memory that the kernels of detection compile to, an image at COCO's size; nothing is run.

    python -m benchmarks.detection [--height=800 --width=1344 --channels=256 --rois=512 --images=64]

Of each: the temporaries of XLA's program for this device, or for the first one of a target that need not be
there (`--target=v5e:2x4`, see docs/targets.md).
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding

from benchmarks import _timing as timing
from resizemix_jax.detection import assign as assign_
from resizemix_jax.detection.anchors import FPN_STRIDES, cells, fpn_anchors, ssd_anchors
from resizemix_jax.detection.boxes import iou
from resizemix_jax.detection.losses import divided, ssd_loss
from resizemix_jax.detection.nms import detections
from resizemix_jax.detection.proposals import propose
from resizemix_jax.detection.roi_align import roi_align
from resizemix_jax.devices import parallel, targets


def floats(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def integers(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.int32)


def pooling(maps, channels, rois):
    """RoIAlign, and the gradient of a function of it, from the four finest levels."""
    shapes = [floats(*shape, channels) for shape in maps[:4]], floats(rois, 4), integers(rois)
    for name, ratio in (('2 samples', 2), ('adaptive', 0)):

        def run(features, boxes, level, ratio=ratio):
            return roi_align(features, boxes, level, strides=FPN_STRIDES[:4], ratio=ratio)

        yield f'RoIAlign, {name}', run, shapes
        gradient = jax.grad(lambda *inputs, run=run: jnp.sum(run(*inputs) ** 2))
        yield f'RoIAlign, {name}: gradient', gradient, shapes


def first_stage(maps):
    """Assignment and proposals."""
    levels = fpn_anchors(maps)
    counts = [len(level) for level in levels]
    anchors = np.concatenate(levels)

    def rpn(boxes, box_valid, valid):
        return assign_.assign(iou(boxes, anchors), box_valid, valid, **assign_.RPN)

    def best(logits, offsets, valid, size):
        return propose(logits, offsets, levels, valid, size)

    yield f'assignment of {sum(counts)} anchors', rpn, (floats(100, 4), floats(100), floats(sum(counts)))
    per_level = [floats(n) for n in counts], [floats(n, 4) for n in counts], [floats(n) for n in counts]
    yield 'proposals, 2000 a level', best, (*per_level, floats(2))


def final(classes=80):
    """The final detections of both detectors."""

    def faster_rcnn(boxes, scores, valid):
        return detections(boxes, scores, valid, least=0.05, threshold=0.5, size=100)

    def ssd(boxes, scores, valid):
        return detections(boxes, scores, valid, least=0.02, threshold=0.45, size=200, most=400)

    yield (
        'detections of 1000 boxes',
        faster_rcnn,
        (floats(1000, classes, 4), floats(1000, classes), floats(1000)),
    )
    yield 'detections of 8732, 400 a class', ssd, (floats(8732, 4), floats(8732, classes), floats(8732))


def ssd_training(images, classes=80, truths=100):
    """Assignment, mining and loss of SSD, of a batch."""
    anchors = np.concatenate(ssd_anchors())

    def one(logits, offsets, boxes, label, box_valid):
        assigned = assign_.assign(iou(boxes, anchors), box_valid, **assign_.SSD)
        return ssd_loss(logits, offsets, anchors, assigned, boxes, label)

    def loss(*inputs):
        return sum(divided(jax.vmap(one)(*inputs)))

    shapes = [(len(anchors), classes + 1), (len(anchors), 4), (truths, 4), (truths,), (truths,)]
    inputs = [floats(images, *shape) for shape in shapes]
    inputs[3] = integers(images, truths)
    yield f'gradient of the loss of SSD, {images} images', jax.grad(loss, (0, 1)), inputs


def main(argv=None):
    smallest = dict(height=64, width=96, channels=2, rois=8, images=2)
    options = dict(height=800, width=1344, channels=256, rois=512, images=64, target=targets.LOCAL)
    args = timing.arguments(__doc__, argv, smallest, **options)
    maps = cells(args.height, args.width, FPN_STRIDES)
    parts = pooling(maps, args.channels, args.rois), first_stage(maps), final(), ssd_training(args.images)
    local = args.target == targets.LOCAL
    device = (jax.devices() if local else parallel.target_devices(targets.parse(args.target)))[0]
    place = SingleDeviceSharding(device)
    print(f'{args.height} x {args.width}, {device.device_kind}, jax {jax.__version__}')
    for part in parts:
        for name, function, shapes in part:
            placed = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype, sharding=place), shapes)
            compiled = jax.jit(function, out_shardings=place).lower(*placed).compile()
            print(f'{name:42} {compiled.memory_analysis().temp_size_in_bytes / 1e6:7.1f} MB', flush=True)


if __name__ == '__main__':
    main()
