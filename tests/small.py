"""A network with every part that a training has to do with, and quick to compile, for tests."""

import flax.linen as nn

from resizemix_jax import layers

NEEDS = ('dtype', 'batch_axis', 'remat')


def small(num_classes, *, width=4, dtype='float32', batch_axis='', remat=False):
    """A convolution and two residual blocks with BatchNorm, `width` channels; a linear layer."""
    backbone = Backbone(width, dtype, batch_axis, remat)
    return layers.Classifier(backbone=backbone, top=Top(num_classes), streams=(), groups=2)


class Backbone(nn.Module):
    width: int
    dtype: str
    batch_axis: str
    remat: bool

    @nn.compact
    def __call__(self, x, train, start=0, stop=2):
        block = layers.block(Block, self.remat)
        if start == 0:
            x = layers.conv(self.width, dtype=self.dtype, name='stem')(x)
        for i in range(start, stop):
            x = block(self.width, self.dtype, self.batch_axis, name=f'group{i + 1}_block1')(x, train)
        return x


class Block(nn.Module):
    width: int
    dtype: str
    batch_axis: str

    @nn.compact
    def __call__(self, x, train):
        y = nn.relu(layers.batch_norm(train, self.batch_axis, self.dtype)(name='norm1')(x))
        return x + layers.conv(self.width, dtype=self.dtype, name='conv1')(y)


class Top(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, features, train):
        return layers.classifier(self.num_classes, features.shape[-1])(layers.global_pool(nn.relu(features)))
