"""The parameters of the networks by torch's names and in torch's axes, both ways; the only place with them.

The names are those of
    resnet                  torchvision's `resnet50` and the like, and timm's of the same names;
    wide_resnet original    xternalz/WideResNet-pytorch, the structure of the original in one nn.Module;
    wide_resnet released    models/wideresnet.py of JayQine/ResizeMix and kakaobrain/fast-autoaugment;
    shake_shake             models/shakeshake/shake_resnet.py of the same;
    vit                     timm's VisionTransformer (with pool 'mean': class_token=False, fc_norm=False).
Every file there loads ours strictly. Shake-Shake's code makes shortcuts that no block calls; ours has none,
so zeros (ones for a scale or a variance) stand for them in a file.

Axes: the kernel of a convolution [h, w, in, out] is [out, in, h, w] in torch, that of a linear layer
[in, out] is [out, in]; all else is the same. `num_batches_tracked` is the number of training steps taken.
"""

import re
from typing import NamedTuple

import jax
import numpy as np

from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.run.leaves import name_of

SHOWN = 5  # names in a message
HEAD = 'top/classifier'

# Path of a layer here -> its torch name. {block} counts from 1 here and from 0 there; numbers are otherwise
# the same.
_RESNET = {
    'backbone/stem': 'conv1',
    'backbone/stem_norm': 'bn1',
    'backbone/stage{n}_block{block}/conv{k}': 'layer{n}.{block}.conv{k}',
    'backbone/stage{n}_block{block}/norm{k}': 'layer{n}.{block}.bn{k}',
    'backbone/stage{n}_block{block}/shortcut': 'layer{n}.{block}.downsample.0',
    'backbone/stage{n}_block{block}/shortcut_norm': 'layer{n}.{block}.downsample.1',
    'top/classifier': 'fc',
}
_WRN_ORIGINAL = {
    'backbone/stem': 'conv1',
    'backbone/group{n}_block{block}/conv{k}': 'block{n}.layer.{block}.conv{k}',
    'backbone/group{n}_block{block}/norm{k}': 'block{n}.layer.{block}.bn{k}',
    'backbone/group{n}_block{block}/shortcut': 'block{n}.layer.{block}.convShortcut',
    'top/norm': 'bn1',
    'top/classifier': 'fc',
}
_WRN_RELEASED = {
    'backbone/stem': 'conv1',
    'backbone/group{n}_block{block}/conv{k}': 'layer{n}.{block}.conv{k}',
    'backbone/group{n}_block{block}/norm{k}': 'layer{n}.{block}.bn{k}',
    'backbone/group{n}_block{block}/shortcut': 'layer{n}.{block}.shortcut.0',
    'top/norm': 'bn1',
    'top/classifier': 'linear',
}
_SHAKE_SHAKE = {
    'backbone/stem': 'c_in',
    'backbone/group{n}_block{block}/branch{k}_conv1': 'layer{n}.{block}.branch{k}.1',
    'backbone/group{n}_block{block}/branch{k}_norm1': 'layer{n}.{block}.branch{k}.2',
    'backbone/group{n}_block{block}/branch{k}_conv2': 'layer{n}.{block}.branch{k}.4',
    'backbone/group{n}_block{block}/branch{k}_norm2': 'layer{n}.{block}.branch{k}.5',
    'backbone/group{n}_block{block}/shortcut_conv{k}': 'layer{n}.{block}.shortcut.conv{k}',
    'backbone/group{n}_block{block}/shortcut_norm': 'layer{n}.{block}.shortcut.bn',
    'top/classifier': 'fc_out',
}
_VIT = {
    'backbone/cls_token': 'cls_token',
    'backbone/pos_embed': 'pos_embed',
    'backbone/patch_embed': 'patch_embed.proj',
    'backbone/block{block}/norm{k}': 'blocks.{block}.norm{k}',
    'backbone/block{block}/qkv': 'blocks.{block}.attn.qkv',
    'backbone/block{block}/proj': 'blocks.{block}.attn.proj',
    'backbone/block{block}/fc{k}': 'blocks.{block}.mlp.fc{k}',
    'top/norm': 'norm',
    'top/classifier': 'head',
}
# Network, and its variant where it has some -> (layout, whose names they are).
_PORT = 'JayQine/ResizeMix and kakaobrain/fast-autoaugment'
_LAYOUTS = {
    'resnet': (_RESNET, 'torchvision and timm'),
    'wide_resnet original': (_WRN_ORIGINAL, 'xternalz/WideResNet-pytorch'),
    'wide_resnet released': (_WRN_RELEASED, _PORT),
    'shake_shake': (_SHAKE_SHAKE, _PORT),
    'vit': (_VIT, "timm's VisionTransformer"),
}
# Leaf of a layer here -> that of torch.
_PARAMETERS = {'kernel': 'weight', 'scale': 'weight', 'bias': 'bias'}
_STATISTICS = {'mean': 'running_mean', 'var': 'running_var'}
_COUNTER = 'num_batches_tracked'


class Network(NamedTuple):
    """Parameters and statistics by path, e.g. 'backbone/stem/kernel': dicts of float32 arrays."""

    params: dict
    batch_stats: dict

    def put_into(self, variables):
        """Variables of a network (nested dicts) with these arrays in their places."""

        def leaf(path, fresh):
            field, _, name = name_of(path).partition('/')
            return getattr(self, field, {}).get(name, fresh)

        return jax.tree_util.tree_map_with_path(leaf, variables)


class Layout:
    """The torch names of one network; `source` says in words whose they are.

    Args:
        model: name of the network in the config.
        args: its keywords.

    Raises:
        ConfigError: the network has no torch layout.
    """

    def __init__(self, model, args):
        kind = f'{model} {args["variant"]}' if 'variant' in args else model
        if kind not in _LAYOUTS:
            raise ConfigError(
                f'model={model!r} has no torch layout; there are layouts of: {", ".join(sorted(_LAYOUTS))}. '
                'Add its names to resizemix_jax/weights/torch_layout.py'
            )
        rules, self.source = _LAYOUTS[kind]
        self._patterns = [(_pattern(path), name) for path, name in rules.items()]
        self._unused = model == 'shake_shake'

    def name(self, path):
        """The torch name of a layer or bare parameter here, e.g. 'backbone/stem' -> 'conv1'."""
        for pattern, name in self._patterns:
            if found := pattern.fullmatch(path):
                numbers = {key: int(value) - (key == 'block') for key, value in found.groupdict().items()}
                return name.format(**numbers)
        raise ConfigError(
            f'the parameter {path!r} has no torch name; add it to resizemix_jax/weights/torch_layout.py'
        )

    def names(self, network):
        """path -> torch name, of all parameters and statistics of a `Network`."""
        return {
            path: self._leaf(path, leaves)
            for values, leaves in ((network.params, _PARAMETERS), (network.batch_stats, _STATISTICS))
            for path in values
        }

    def _leaf(self, path, leaves):
        layer, _, leaf = path.rpartition('/')
        return f'{self.name(layer)}.{leaves[leaf]}' if leaf in leaves else self.name(path)

    def to_torch(self, network, step=0):
        """The state_dict of a `Network` after `step` steps: torch name -> NumPy array."""
        named = {name: _to_torch(network, path) for path, name in self.names(network).items()}
        for name in [name for name in named if name.endswith('.running_var')]:
            named[name.removesuffix('running_var') + _COUNTER] = np.array(step, np.int64)
        return named | (_uncalled_shortcuts(named, step) if self._unused else {})

    def from_torch(self, tensors, template, source, prefix=''):
        """The `Network` of a state_dict, or the part of it below `prefix`.

        Args:
            tensors: torch name -> NumPy array.
            template: `Network` of arrays or shapes, which says what there has to be.
            source: of the tensors, for messages.
            prefix: e.g. 'backbone/'.

        Raises:
            DataError: names are missing, or are of no part of the network; lists them.
        """
        names = self.names(template)
        wanted = {path: name for path, name in names.items() if path.startswith(prefix)}
        missing = sorted(set(wanted.values()) - tensors.keys())
        extra = sorted(n for n in tensors.keys() - set(names.values()) if not self._is_spare(n))
        if missing or extra:
            lacks = [f'lacks {_listed(missing)}'] if missing else []
            lacks += [f'has {_listed(extra)} besides'] if extra else []
            raise DataError(
                f'{source} is not of this network: it {" and ".join(lacks)}. Set model and model_args to the '
                'network of the file'
            )
        arrays = {path: _from_torch(tensors[name], path) for path, name in wanted.items()}
        return Network(*({path: arrays[path] for path in part if path in arrays} for part in template))

    def _is_spare(self, name):
        """Whether a network here needs no such tensor, although torch's has it."""
        return name.endswith(_COUNTER) or (self._unused and '.shortcut.' in name)


def _pattern(path):
    return re.compile(re.sub(r'\{(\w+)\}', r'(?P<\1>\\d+)', path))


def _to_torch(network, path):
    array = np.asarray(network.params[path] if path in network.params else network.batch_stats[path])
    if path.endswith('/kernel'):
        array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T
    return np.ascontiguousarray(array)


def _from_torch(array, path):
    if path.endswith('/kernel'):
        array = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
    return np.ascontiguousarray(array)


def _uncalled_shortcuts(named, step):
    """What the public code makes besides: a shortcut in each block whose width does not change."""
    made = {}
    for name, array in named.items():
        block = name.removesuffix('.branch1.1.weight')
        if block == name or f'{block}.shortcut.bn.weight' in named:
            continue
        width = len(array)
        for path in ('conv1', 'conv2'):
            made[f'{block}.shortcut.{path}.weight'] = np.zeros((width // 2, width, 1, 1), np.float32)
        for leaf, value in (('weight', 1), ('bias', 0), ('running_mean', 0), ('running_var', 1)):
            made[f'{block}.shortcut.bn.{leaf}'] = np.full(width, value, np.float32)
        made[f'{block}.shortcut.bn.{_COUNTER}'] = np.array(step, np.int64)
    return made


def _listed(names):
    return ', '.join(names[:SHOWN]) + (f' and {len(names) - SHOWN} more' if len(names) > SHOWN else '')
