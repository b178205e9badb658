"""Holds torch's names, and the logits of networks with the same weights, to public code; records weights.npz.

In an environment with torch, torchvision and timm, and with checkouts of xternalz/WideResNet-pytorch and
kakaobrain/fast-autoaugment:

    python -m tests.reference.make_weights record WIDE_RESNET_PYTORCH FAST_AUTOAUGMENT

writes weights.npz: of each of `NETWORKS` a digest of the names and shapes of its state_dict, and of the small
ones the logits for `inputs`. The file here was made with torch 2.13.0, torchvision 0.28.0 and timm 1.0.31.
And

    python -m tests.reference.make_weights write DIR     here, and then
    python -m tests.reference.make_weights check DIR     in that environment

compare ResNet-50 and ResNet-101 whole, with files that this project wrote. Printed for the version here:

    resnet50 in torchvision.models.resnet: loads strictly; relative difference 9.2e-07
    resnet50 in timm.models.resnet: loads strictly; relative difference 9.2e-07
    resnet101 in torchvision.models.resnet: loads strictly; relative difference 8.8e-07
    resnet101 in timm.models.resnet: loads strictly; relative difference 8.8e-07

`record` also writes tensors.pth and tensors_old.pth, files of torch in its two formats.
"""

import hashlib
import pathlib
import sys
import types

import numpy as np

FILE = pathlib.Path(__file__).with_name('weights.npz')
# name -> (model, its keywords, number of classes, image shape, whether the logits are recorded)
NETWORKS = {
    'resnet14': ('resnet', dict(depth=14), 5, (43, 37, 3), True),
    'resnet50': ('resnet', dict(depth=50), 1000, (97, 129, 3), False),
    'resnet101': ('resnet', dict(depth=101), 1000, (97, 129, 3), False),
    'wrn10': ('wide_resnet', dict(depth=10, width=2), 5, (32, 32, 3), True),
    'wrn28': ('wide_resnet', dict(depth=28, width=10), 10, (32, 32, 3), False),
    'released10': ('wide_resnet', dict(depth=10, width=2, variant='released'), 5, (32, 32, 3), True),
    'released28': ('wide_resnet', dict(depth=28, width=10, variant='released'), 10, (32, 32, 3), False),
    'shake14': ('shake_shake', dict(depth=14, width=4), 5, (32, 32, 3), True),
    'shake26': ('shake_shake', dict(depth=26, width=96), 10, (32, 32, 3), False),
    'vit': ('vit', dict(patch=4, width=8, depth=2, heads=2), 5, (16, 16, 3), True),
    'vit_mean': ('vit', dict(patch=4, width=8, depth=2, heads=2, pool='mean'), 5, (16, 16, 3), True),
}
WHOLE = 'resnet50', 'resnet101'


def inputs(shapes, image_shape):
    """(state_dict, images float32 [2, H, W, C]) from a generator whose stream is fixed.

    Args:
        shapes: torch name -> shape.
        image_shape: (H, W, C).
    """
    rng = np.random.RandomState(0)
    weights = {name: _drawn(rng, name, shapes[name]) for name in sorted(shapes)}
    return weights, rng.standard_normal((2, *image_shape)).astype(np.float32)


def _drawn(rng, name, shape):
    if name.endswith('num_batches_tracked'):
        return np.array(3, np.int64)
    if name.endswith('running_var') or (len(shape) == 1 and name.endswith('weight')):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    deviation = 1 / np.sqrt(np.prod(shape[1:])) if len(shape) in (2, 4) else 0.3
    return (rng.standard_normal(shape) * deviation).astype(np.float32)


def digest(shapes):
    """Of the names and shapes of a state_dict."""
    lines = '\n'.join(f'{name} {tuple(shapes[name])}' for name in sorted(shapes))
    return hashlib.sha256(lines.encode()).hexdigest()


def public(name, checkouts):
    """The module of torch of one of `NETWORKS`."""
    import timm
    import torchvision

    from tests.reference import public_code

    model, args, classes, (size, *_), _ = NETWORKS[name]
    if model == 'resnet':
        if args['depth'] != 14:
            return getattr(torchvision.models, name)()
        resnet = torchvision.models.resnet
        return resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], num_classes=classes)
    if model == 'vit':
        mean = dict(global_pool='avg', class_token=False, fc_norm=False) if 'pool' in args else {}
        return timm.models.VisionTransformer(
            size, args['patch'], embed_dim=args['width'], depth=args['depth'], num_heads=args['heads'],
            num_classes=classes, **mean,
        )  # fmt: skip
    original, released = checkouts
    if model == 'shake_shake':
        for package in ('FastAutoAugment', 'FastAutoAugment.networks'):  # without what they import
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = [f'{released}/{package.replace(".", "/")}']
        from FastAutoAugment.networks.shakeshake.shake_resnet import ShakeResNet

        return ShakeResNet(args['depth'], args['width'], classes)
    path = (
        f'{released}/FastAutoAugment/networks/wideresnet.py'
        if 'variant' in args
        else f'{original}/wideresnet.py'
    )
    cls = public_code.module(path).WideResNet
    if 'variant' in args:
        return cls(args['depth'], args['width'], 0.0, classes)
    return cls(args['depth'], classes, args['width'])


def record(*checkouts):
    """Writes weights.npz."""
    import torch

    found = {}
    for name, (*_, image_shape, logits) in NETWORKS.items():
        network = public(name, checkouts).eval()
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        found[f'{name}/digest'] = np.array(digest(shapes))
        if logits:
            weights, images = inputs(shapes, image_shape)
            network.load_state_dict({key: torch.tensor(value) for key, value in weights.items()})
            found[f'{name}/shapes'] = np.array(repr(shapes))
            found[f'{name}/logits'] = _logits(network, images)
        print(name, len(shapes), found[f'{name}/digest'])
    np.savez_compressed(FILE, **found)
    _save_tensors()


def tensors():
    """What tensors.pth and tensors_old.pth hold: name -> float32 array or whole number."""
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    same = dict.fromkeys(('plain', 'half', 'brain', 'tied'), array)
    return {**same, 'turned': array.T, 'part': array[1:], 'whole': np.array(7)}


def _save_tensors():
    import torch

    array = torch.tensor(tensors()['plain'])
    state = dict(
        plain=array, turned=array.t(), part=array[1:], half=array.half(), brain=array.bfloat16(),
        whole=torch.tensor(7), tied=array,
    )  # fmt: skip
    torch.save(state, FILE.with_name('tensors.pth'))
    nested = {'state_dict': {f'module.{name}': value for name, value in state.items()}, 'epoch': 3}
    torch.save(nested, FILE.with_name('tensors_old.pth'), _use_new_zipfile_serialization=False)


def write(directory):
    """Writes files of ResNet-50 and ResNet-101, and the logits of this project's networks."""
    from resizemix_jax.weights import pth
    from tests.weights import networks

    for name in WHOLE:
        network = networks.network(name)
        weights, images, variables = networks.state_dict(name, network)
        pathlib.Path(directory, f'{name}.pth').write_bytes(pth.to_bytes(weights))
        np.savez(
            pathlib.Path(directory, f'{name}.npz'),
            images=images,
            logits=networks.apply(network, variables, images),
        )


def check(directory):
    """Loads those files in torchvision and timm, and compares the logits."""
    import timm
    import torch
    import torchvision

    for name in WHOLE:
        stored = np.load(pathlib.Path(directory, f'{name}.npz'))
        weights = torch.load(pathlib.Path(directory, f'{name}.pth'), weights_only=True)
        for made in (getattr(torchvision.models, name)(), timm.create_model(name, pretrained=False)):
            made.load_state_dict(weights, strict=True)
            logits = _logits(made.eval(), stored['images'])
            difference = np.abs(logits - stored['logits']).max() / np.abs(logits).max()
            print(f'{name} in {type(made).__module__}: loads strictly; relative difference {difference:.1e}')


def _logits(network, images):
    import torch

    with torch.no_grad():
        return network(torch.tensor(images).permute(0, 3, 1, 2)).numpy()


if __name__ == '__main__':
    {'record': record, 'write': write, 'check': check}[sys.argv[1]](*sys.argv[2:])
