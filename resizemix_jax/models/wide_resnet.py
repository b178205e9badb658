"""Wide ResNet (Zagoruyko and Komodakis, 2016), in the paper's form and in the released code's."""

import flax.linen as nn

from resizemix_jax import layers
from resizemix_jax.ranges import Choice, Number, Whole

NEEDS = ('dtype', 'batch_axis', 'remat')
TINY = (dict(depth=10, width=1, dropout=0.5), dict(depth=10, width=1, variant='released'))
VARIANTS = ('original', 'released')
GROUPS = (16, 32, 64)  # channels at width 1


def wide_resnet(
    num_classes,
    *,
    depth=28,
    width=10,
    variant='original',
    dropout=0.0,
    dtype='float32',
    batch_axis='',
    remat=False,
):
    """WRN-depth-width for small images.

    variant 'original': szagoruyko/wide-residual-networks. No convolution biases; the stride is in a block's
        first convolution; the first block of a group shares BN-ReLU between both branches; convolutions
        ~ N(0, 2 / fan_in). 36,479,194 parameters for WRN-28-10 with 10 classes.
    variant 'released': the port that JayQine/ResizeMix trains (models/wideresnet.py). Every convolution has
        a bias; the stride is in a block's *second* convolution (13 % more multiplications); the shortcut
        takes the raw input; torch's default initialisation. 36,489,290 parameters.

    Args:
        num_classes: K.
        depth: 6 n + 4 (10, 16, 22, 28, 40, ...), at most 400.
        width: the widening factor, 1 to 1024.
        dropout: the rate between a block's convolutions (stream 'dropout'), in [0, 1).
        dtype, batch_axis, remat: see `resizemix_jax.models`.

    Raises:
        ValueError: a depth, width, variant or dropout out of range.
    """
    Whole(10, layers.DEEPEST).check(depth=depth)
    if (depth - 4) % 6:
        raise ValueError(f'depth={depth} must be 6 n + 4: 10, 16, 22, 28, 34, 40, ...')
    Whole(1, 1024).check(width=width)
    Choice(*VARIANTS).check(variant=variant)
    Number(0, 1, '[)').check(dropout=dropout)
    shared = dict(variant=variant, dtype=dtype, batch_axis=batch_axis)
    return layers.Classifier(
        backbone=Backbone(blocks=(depth - 4) // 6, width=width, dropout=dropout, remat=remat, **shared),
        top=Top(num_classes=num_classes, **shared),
        streams=('dropout',),
        groups=len(GROUPS),
    )


class Backbone(nn.Module):
    """From images to the output of the last block, before the last BN-ReLU; or from one group to another."""

    blocks: int
    width: int
    dropout: float
    variant: str
    dtype: str
    batch_axis: str
    remat: bool

    @nn.compact
    def __call__(self, x, train, start=0, stop=None):
        block = layers.block(OriginalBlock if self.variant == 'original' else ReleasedBlock, self.remat)
        if start == 0:
            x = _conv(self.variant, x, 16, dtype=self.dtype, name='stem')
        for group, features in list(enumerate(GROUPS))[start:stop]:
            for i in range(self.blocks):
                stride = 2 if group > 0 and i == 0 else 1
                x = block(
                    features * self.width,
                    stride,
                    self.dropout,
                    self.dtype,
                    self.batch_axis,
                    name=f'group{group + 1}_block{i + 1}',
                )(x, train)
        return x


class Top(nn.Module):
    """BN-ReLU, global average pooling, linear layer."""

    num_classes: int
    variant: str
    dtype: str
    batch_axis: str

    @nn.compact
    def __call__(self, features, train):
        norm = layers.batch_norm(train, self.batch_axis, self.dtype)
        x = layers.global_pool(nn.relu(norm(name='norm')(features)))
        zero_bias = self.variant == 'original'
        return layers.classifier(self.num_classes, x.shape[-1], zero_bias=zero_bias)(x)


class OriginalBlock(nn.Module):
    """BN-ReLU-conv(stride)-BN-ReLU-conv; where the width changes, the shortcut takes the activated input."""

    features: int
    stride: int
    dropout: float
    dtype: str
    batch_axis: str

    @nn.compact
    def __call__(self, x, train):
        norm = layers.batch_norm(train, self.batch_axis, self.dtype)
        y = nn.relu(norm(name='norm1')(x))
        shortcut = x
        if x.shape[-1] != self.features or self.stride != 1:
            shortcut = _conv('original', y, self.features, 1, self.stride, dtype=self.dtype, name='shortcut')
        y = _conv('original', y, self.features, 3, self.stride, dtype=self.dtype, name='conv1')
        y = nn.relu(norm(name='norm2')(y))
        y = nn.Dropout(self.dropout, deterministic=not train)(y)
        y = _conv('original', y, self.features, dtype=self.dtype, name='conv2')
        return shortcut + y


class ReleasedBlock(nn.Module):
    """BN-ReLU-conv-BN-ReLU-conv(stride), all with biases; the shortcut takes the raw input."""

    features: int
    stride: int
    dropout: float
    dtype: str
    batch_axis: str

    @nn.compact
    def __call__(self, x, train):
        norm = layers.batch_norm(train, self.batch_axis, self.dtype)
        y = nn.relu(norm(name='norm1')(x))
        y = _conv('released', y, self.features, dtype=self.dtype, name='conv1')
        y = nn.Dropout(self.dropout, deterministic=not train)(y)
        y = nn.relu(norm(name='norm2')(y))
        y = _conv('released', y, self.features, 3, self.stride, dtype=self.dtype, name='conv2')
        if x.shape[-1] != self.features or self.stride != 1:
            x = _conv('released', x, self.features, 1, self.stride, dtype=self.dtype, name='shortcut')
        return x + y


def _conv(variant, x, features, size=3, stride=1, *, dtype, name):
    if variant == 'original':
        return layers.conv(features, size, stride, init=layers.normal_fan_in, dtype=dtype, name=name)(x)
    fan_in = size * size * x.shape[-1]
    return layers.conv(
        features, size, stride, bias=True, init=layers.torch_uniform, fan_in=fan_in, dtype=dtype, name=name
    )(x)
