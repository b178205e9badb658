"""Holds the kernels of resizemix_jax.detection to torchvision's; records detection.npz.

In an environment with torch, torchvision and jax:

    python -m tests.reference.make_detection record

writes what torchvision's compiled operators and classes make of the inputs of `detection_cases`. The file
here was made with torch 2.13.0 and torchvision 0.28.0. And

    python -m tests.reference.make_detection check [SEEDS]

compares larger inputs, of 40 seeds by default, without a file. Printed for the version here:

    nms          plain 0.0e+00, tied 0.0e+00, grid 0.0e+00, copies 0.0e+00
    batched_nms  plain_score 0.0e+00, plain_label 0.0e+00, grid_score 0.0e+00, grid_label 0.0e+00
    roi_align    aligned_2 9.7e-06, aligned_2_gradient 1.1e-05, aligned_0 1.0e-05, aligned_0_gradient 1.2e-05,
                 plain_2 9.8e-06, plain_2_gradient 1.7e-05, plain_0 1.0e-05, plain_0_gradient 1.7e-05
    boxes        iou 0.0e+00, encode_rpn 3.0e-07, decode_rpn 3.1e-05, encode_head 1.5e-05, decode_head 1.5e-05
    anchors      fpn_count 0.0e+00, fpn 0.0e+00, ssd_count 0.0e+00, ssd 3.1e-05, ssd_mean 1.7e-06
    level        level 0.0e+00
    matcher      head 0.0e+00, ssd 0.0e+00
    proposals    boxes 4.2e-05, scores 3.0e-08, count 0.0e+00
    detections   head_boxes 1.5e-05, head_scores 1.8e-07, head_label 0.0e+00, ssd_boxes 7.6e-06,
                 ssd_scores 1.8e-07, ssd_label 0.0e+00
    ssd_loss     loss 2.3e-07, logits_gradient 5.6e-09, offsets_gradient 2.9e-08

(pixels, but the loss, which is relative; CPU, jax 0.10.2).
"""

import pathlib
import sys
import types

import numpy as np

from tests.reference import detection_cases as cases

FILE = pathlib.Path(__file__).with_name('detection.npz')


def tensor(array):
    import torch

    return torch.from_numpy(np.ascontiguousarray(array))


def nms(inputs):
    from torchvision import ops

    results = {}
    for kind in cases.KINDS:
        boxes, scores, valid = (inputs[f'{kind}_{name}'] for name in ('boxes', 'scores', 'valid'))
        rows = np.flatnonzero(valid)
        results[kind] = np.full((len(cases.THRESHOLDS), len(boxes)), -1, np.int16)
        for kept, threshold in zip(results[kind], cases.THRESHOLDS, strict=True):
            # Its CPU code compares with a double; here with the float32 that its GPU code rounds that to.
            threshold32 = float(np.float32(threshold))
            index = ops.nms(tensor(boxes[rows]), tensor(scores[rows]), threshold32).numpy()
            kept[: len(index)] = rows[index]
    return results


def batched_nms(inputs):
    from torchvision import ops

    results = {}
    for kind in ('plain', 'grid'):
        scores, label = inputs[f'{kind}_scores'], inputs['label']
        index = ops.batched_nms(tensor(inputs[f'{kind}_boxes']), tensor(scores), tensor(label), 0.5).numpy()
        missing = (0, len(scores) - len(index))
        results[f'{kind}_score'] = np.pad(scores[index], missing)
        results[f'{kind}_label'] = np.pad(label[index], missing, constant_values=-1).astype(np.int8)
    return results


def roi_align(inputs):
    from torchvision import ops

    results = {}
    for aligned in (True, False):
        for ratio in (2, 0):
            features = tensor(inputs['features'].transpose(2, 0, 1)[None]).requires_grad_()
            pooled = ops.roi_align(
                features, [tensor(inputs['boxes'])], 7, spatial_scale=0.25, aligned=aligned,
                sampling_ratio=ratio or -1,
            )  # fmt: skip
            pooled.backward(tensor(inputs['weights'].transpose(0, 3, 1, 2)))
            name = f'{"aligned" if aligned else "plain"}_{ratio}'
            results[name] = pooled[:, 0].detach().numpy()
            results[f'{name}_gradient'] = features.grad[0, 0, ::6].numpy()
    return results


def boxes(inputs):
    from torchvision import ops
    from torchvision.models.detection._utils import BoxCoder

    plain, anchors, offsets = (tensor(inputs[name]) for name in ('plain', 'anchors', 'offsets'))
    both = tensor(np.concatenate([inputs['grid'], inputs['plain']]))
    results = {'iou': ops.box_iou(both, plain).numpy()}
    for name, weights in (('rpn', (1.0, 1.0, 1.0, 1.0)), ('head', (10.0, 10.0, 5.0, 5.0))):
        coder = BoxCoder(weights)
        results[f'encode_{name}'] = coder.encode_single(plain, anchors).numpy()
        decoded = coder.decode_single(offsets, anchors).numpy()
        results[f'decode_{name}'] = decoded / np.maximum(1, abs(decoded) / 100)
    return results


def _fpn(height, width):
    """(anchors of all levels, how many there are a level) of an image."""
    import torch
    from torchvision.models.detection.anchor_utils import AnchorGenerator

    strides = 4, 8, 16, 32, 64
    generator = AnchorGenerator(tuple((8 * s,) for s in strides), ((0.5, 1.0, 2.0),) * 5)
    shapes = [[-(-height // s), -(-width // s)] for s in strides]
    levels = generator.grid_anchors(shapes, [[torch.tensor(s)] * 2 for s in strides])
    return torch.cat(levels), [len(level) for level in levels]


def _ssd():
    import torch
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
    from torchvision.models.detection.image_list import ImageList

    generator = DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
        steps=[8, 16, 32, 64, 100, 300], clip=False,
    )  # fmt: skip
    images = ImageList(torch.zeros(1, 3, 300, 300), [(300, 300)])
    return generator(images, [torch.zeros(1, 1, n, n) for n in (38, 19, 10, 5, 3, 1)])[0].numpy()


def anchors(inputs):
    fpn, ssd = _fpn(*cases.IMAGE)[0].numpy(), _ssd()
    return {
        'fpn_count': np.array(len(fpn)),
        'fpn': fpn[inputs['fpn_rows'] % len(fpn)],
        'ssd_count': np.array(len(ssd)),
        'ssd': ssd[inputs['rows']],
        'ssd_mean': ssd.astype(np.float64).sum(0) / len(ssd),
    }


def level(inputs):
    from torchvision.ops.poolers import LevelMapper

    return {'level': LevelMapper(2, 5)([tensor(inputs['boxes'])]).numpy().astype(np.int8)}


def matcher(inputs):
    from torchvision import ops
    from torchvision.models.detection._utils import Matcher, SSDMatcher

    overlaps = ops.box_iou(tensor(inputs['truth']), tensor(inputs['anchors']))
    overlaps = overlaps.nan_to_num(0.0)  # of two empty boxes
    found = {'head': Matcher(0.7, 0.3)(overlaps), 'ssd': SSDMatcher(0.5)(overlaps)}
    return {name: index.numpy().astype(np.int8) for name, index in found.items()}


def proposals(inputs):
    from torchvision.models.detection._utils import BoxCoder
    from torchvision.models.detection.rpn import RegionProposalNetwork

    after, (height, width) = int(inputs['after']), inputs['size'].tolist()
    network = RegionProposalNetwork(
        None,
        None,
        0.7,
        0.3,
        256,
        0.5,
        dict(training=100, testing=100),
        dict(training=after, testing=after),
        0.7,
    )
    network.min_size = 1e-3
    grid, counts = _fpn_unrounded()
    decoded = BoxCoder((1.0, 1.0, 1.0, 1.0)).decode_single(tensor(inputs['offsets']), tensor(grid))
    found, scores = network.filter_proposals(
        decoded[None], tensor(inputs['logits'])[None], [(height, width)], counts
    )
    missing = after - len(scores[0])
    return {
        'boxes': np.pad(found[0].numpy(), ((0, missing), (0, 0))),
        'scores': np.pad(scores[0].numpy(), (0, missing)),
        'count': np.array(len(scores[0])),
    }


def _fpn_unrounded():
    """The package's anchors, which torchvision would round."""
    from resizemix_jax.detection.anchors import FPN_STRIDES, cells, fpn_anchors

    levels = fpn_anchors(cells(*cases.IMAGE, FPN_STRIDES))
    return np.concatenate(levels), [len(level) for level in levels]


def _background_first(array):
    return np.concatenate([array[..., -1:], array[..., :-1]], axis=-1)


def detections(inputs):
    from torchvision.models.detection.roi_heads import RoIHeads
    from torchvision.models.detection.ssd import SSD

    logits, anchors_ = tensor(_background_first(inputs['logits'])), tensor(inputs['boxes'])
    offsets = np.concatenate([np.zeros_like(inputs['offsets'][:, :1]), inputs['offsets']], axis=1)
    heads = RoIHeads(None, None, None, 0.5, 0.5, 512, 0.25, (10.0, 10.0, 5.0, 5.0), 0.05, 0.5, 40)
    found = heads.postprocess_detections(
        logits, tensor(offsets.reshape(len(offsets), -1)), [anchors_], [cases.IMAGE]
    )
    head = {'boxes': found[0][0], 'scores': found[1][0], 'label': found[2][0]}
    self = types.SimpleNamespace(
        box_coder=heads.box_coder,
        score_thresh=0.02,
        topk_candidates=30,
        nms_thresh=0.45,
        detections_per_img=40,
    )
    outputs = {'cls_logits': logits[None], 'bbox_regression': tensor(inputs['offsets'][:, 0])[None]}
    (ssd,) = SSD.postprocess_detections(self, outputs, [anchors_], [cases.IMAGE])
    results = {}
    for name, one in (('head', head), ('ssd', ssd | {'label': ssd['labels']})):
        missing = 40 - len(one['scores'])
        results[f'{name}_boxes'] = np.pad(one['boxes'].numpy(), ((0, missing), (0, 0)))
        results[f'{name}_scores'] = np.pad(one['scores'].numpy(), (0, missing))
        label = one['label'].numpy() - 1
        results[f'{name}_label'] = np.pad(label, (0, missing), constant_values=-1).astype(np.int8)
    return results


def ssd_loss(inputs):
    import torch
    from torchvision import ops
    from torchvision.models.detection._utils import BoxCoder, SSDMatcher
    from torchvision.models.detection.ssd import SSD

    logits = tensor(_background_first(inputs['logits'])).requires_grad_()
    offsets = tensor(inputs['offsets']).requires_grad_()
    anchors_ = tensor(inputs['anchors'])
    targets, matched = [], []
    for truth, label, count in zip(inputs['boxes'], inputs['label'], inputs['count'], strict=True):
        truth = tensor(truth[:count])
        targets.append({'boxes': truth, 'labels': tensor(label[:count] + 1)})
        none = torch.full((len(anchors_),), -1)
        matched.append(SSDMatcher(0.5)(ops.box_iou(truth, anchors_)) if count else none)
    self = types.SimpleNamespace(box_coder=BoxCoder((10.0, 10.0, 5.0, 5.0)), neg_to_pos_ratio=3)
    outputs = {'bbox_regression': offsets, 'cls_logits': logits}
    loss = SSD.compute_loss(self, targets, outputs, [anchors_] * 4, matched)
    (loss['classification'] + loss['bbox_regression']).backward()
    gradient = logits.grad.numpy()
    return {
        'loss': np.array([loss['classification'].item(), loss['bbox_regression'].item()], np.float32),
        'logits_gradient': np.concatenate([gradient[..., 1:], gradient[..., :1]], axis=-1),
        'offsets_gradient': offsets.grad.numpy(),
    }


TORCHVISION = {
    'nms': nms, 'batched_nms': batched_nms, 'roi_align': roi_align, 'boxes': boxes, 'anchors': anchors,
    'level': level, 'matcher': matcher, 'proposals': proposals, 'detections': detections,
    'ssd_loss': ssd_loss,
}  # fmt: skip


def record():
    stored = {}
    for name, truth in TORCHVISION.items():
        stored |= {f'{name}/{key}': value for key, value in truth(cases.inputs(name)).items()}
    np.savez_compressed(FILE, **stored)
    print(FILE.stat().st_size, 'bytes')


def check(seeds):
    for name, truth in TORCHVISION.items():
        worst = {}
        for seed in range(1, seeds + 1):
            inputs = cases.inputs(name, seed, cases.CASES[name][3])
            expected, found = truth(inputs), cases.results(name, inputs)
            for key, value in expected.items():
                difference, limit = cases.apart(name, key, value, found[key])
                worst[key] = max(worst.get(key, 0), difference)
                if difference > limit:
                    print(f'{name}/{key}, seed {seed}: {difference:.1e} is more than {limit:.1e}')
        print(f'{name:12}', ', '.join(f'{key} {value:.1e}' for key, value in worst.items()), flush=True)


if __name__ == '__main__':
    if sys.argv[1:] == ['record']:
        record()
    elif sys.argv[1:2] == ['check']:
        check(int(sys.argv[2]) if sys.argv[2:] else 40)
    else:
        sys.exit(__doc__)
