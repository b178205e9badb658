"""Shake-Shake (Gastaldi, 2017) 26 2x96d, in the torch port that the compared works train."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from resizemix_jax import layers
from resizemix_jax.ranges import Whole

NEEDS = ('dtype', 'batch_axis', 'remat')
TINY = (dict(depth=8, width=4),)
GROUPS = 3


def shake_shake(num_classes, *, depth=26, width=96, dtype='float32', batch_axis='', remat=False):
    """Shake-Shake depth 2 x width d for small images: two branches a block, mixed at random.

    Law of the mixing, drawn independently per image, block and step: forward a * y1 + (1 - a) * y2 with
    a ~ U(0, 1); backward, the gradients of y1 and y2 are b and 1 - b times the block's, with its own
    b ~ U(0, 1); in evaluation both are 1/2. The draws come from the stream 'shake', in float32 for every
    dtype.

    The structure is that of models/shakeshake/shake_resnet.py in JayQine/ResizeMix (and Fast AutoAugment,
    DADA): a first convolution with bias and no BatchNorm after it; where the width changes, two half-width
    paths, the second shifted left and up by one pixel (the original in Lua shifts right and down).
    Convolutions ~ N(0, 2 / fan_out). 26,192,906 parameters for 26 2x96d with 10 classes. (torch counts
    26,777,546 there, since that code makes 584,640 parameters of shortcuts that no block calls.)

    Args:
        num_classes: K.
        depth: 6 n + 2 (8, 14, 20, 26, ...), at most 400.
        width: the channels of the first group, even, at most 16384.
        dtype, batch_axis, remat: see `resizemix_jax.models`.

    Raises:
        ValueError: a depth or width out of range.
    """
    Whole(8, layers.DEEPEST).check(depth=depth)
    if (depth - 2) % 6:
        raise ValueError(f'depth={depth} must be 6 n + 2: 8, 14, 20, 26, ...')
    Whole(2, 2**14).check(width=width)
    if width % 2:
        raise ValueError(f'width={width} must be even and >= 2: two paths share it')
    return layers.Classifier(
        backbone=Backbone((depth - 2) // 6, width, dtype, batch_axis, remat),
        top=Top(num_classes),
        streams=('shake',),
        groups=GROUPS,
    )


class Backbone(nn.Module):
    """From images to the output of the last block, before the last ReLU; or from one group to another."""

    blocks: int
    width: int
    dtype: str
    batch_axis: str
    remat: bool

    @nn.compact
    def __call__(self, x, train, start=0, stop=GROUPS):
        block = layers.block(Block, self.remat)
        if start == 0:
            fan_in = 9 * x.shape[-1]
            x = layers.conv(16, bias=True, fan_in=fan_in, dtype=self.dtype, name='stem')(x)
        for group in range(start, stop):
            for i in range(self.blocks):
                stride = 2 if group > 0 and i == 0 else 1
                x = block(
                    self.width * 2**group,
                    stride,
                    self.dtype,
                    self.batch_axis,
                    name=f'group{group + 1}_block{i + 1}',
                )(x, train)
        return x


class Top(nn.Module):
    """ReLU, global average pooling, linear layer."""

    num_classes: int

    @nn.compact
    def __call__(self, features, train):
        x = layers.global_pool(nn.relu(features))
        return layers.classifier(self.num_classes, x.shape[-1], zero_bias=True)(x)


class Block(nn.Module):
    """shortcut(x) + shake(branch1(x), branch2(x))."""

    features: int
    stride: int
    dtype: str
    batch_axis: str

    @nn.compact
    def __call__(self, x, train):
        norm = layers.batch_norm(train, self.batch_axis, self.dtype)
        first, second = (self._branch(x, norm, name) for name in ('branch1', 'branch2'))
        if train:
            key_forward, key_backward = jax.random.split(self.make_rng('shake'))
            mixed = shake(first, second, key_forward, key_backward)
        else:
            mixed = (first + second) / 2
        if x.shape[-1] != self.features:
            x = self._shortcut(x, norm)
        return x + mixed

    def _branch(self, x, norm, name):
        y = layers.conv(self.features, stride=self.stride, dtype=self.dtype, name=f'{name}_conv1')(nn.relu(x))
        y = nn.relu(norm(name=f'{name}_norm1')(y))
        y = layers.conv(self.features, dtype=self.dtype, name=f'{name}_conv2')(y)
        return norm(name=f'{name}_norm2')(y)

    def _shortcut(self, x, norm):
        x = nn.relu(x)
        shifted = jnp.pad(x[:, 1:, 1:], ((0, 0), (0, 1), (0, 1), (0, 0)))
        paths = [
            layers.conv(self.features // 2, 1, dtype=self.dtype, name=f'shortcut_conv{i + 1}')(
                path[:, :: self.stride, :: self.stride]
            )
            for i, path in enumerate((x, shifted))
        ]
        return norm(name='shortcut_norm')(jnp.concatenate(paths, axis=-1))


def shake(first, second, key_forward, key_backward):
    """a * first + (1 - a) * second forward, with weights b and 1 - b backward; a, b ~ U(0, 1) per image.

    The weights are drawn in float32: a draw in bfloat16 takes 128 values, and is 0 with probability 1/128.

    Args:
        first, second: float [B, h, w, c].
        key_forward, key_backward: the keys of a and of b.
    """
    shape = (first.shape[0], 1, 1, 1)
    a, b = (jax.random.uniform(key, shape).astype(first.dtype) for key in (key_forward, key_backward))
    forward = a * first + (1 - a) * second
    backward = b * first + (1 - b) * second
    # The value is `forward`; only `backward` is differentiated.
    return backward + jax.lax.stop_gradient(forward - backward)
