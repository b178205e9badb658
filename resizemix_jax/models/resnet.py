"""ResNet with bottleneck blocks (He et al., 2016), v1.5: the stride is in the 3 x 3 convolution."""

import flax.linen as nn
import jax.numpy as jnp

from resizemix_jax import layers
from resizemix_jax.ranges import Whole

NEEDS = ('dtype', 'batch_axis', 'remat')
TINY = (dict(depth=14, width=4),)
STAGES = {
    14: (1, 1, 1, 1),
    26: (2, 2, 2, 2),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def resnet(num_classes, *, depth=50, width=64, dtype='float32', batch_axis='', remat=False):
    """ResNet-depth for ImageNet-size images (any size >= 32 works).

    7 x 7 convolution with stride 2, 3 x 3 max-pooling with stride 2, four stages of bottlenecks, global
    average pooling, linear layer; padding as torch pads. Convolutions ~ N(0, 2 / fan_out); every BatchNorm
    scale starts at 1, the last of a block too, as JayQine/ResizeMix and clovaai/CutMix-PyTorch have it
    (Flax's and TPU ResNets start it at 0). 25,557,032 parameters at depth 50 and 1000 classes,
    44,549,160 at depth 101.

    Args:
        num_classes: K.
        depth: 14, 26, 50, 101 or 152.
        width: the channels of the first stage's inner convolutions, 1 to 16384; 64 is the standard one.
        dtype, batch_axis, remat: see `resizemix_jax.models`.

    Raises:
        ValueError: a depth or width out of range.
    """
    return layers.Classifier(
        backbone=backbone(depth, width, dtype=dtype, batch_axis=batch_axis, remat=remat),
        top=Top(num_classes),
        streams=(),
        groups=len(STAGES[depth]),
    )


def backbone(depth, width, *, stages=4, strides=(1, 2, 2, 2), dtype, batch_axis, remat):
    """The convolutions of `resnet`, for a classifier or a detector.

    Args:
        depth, width, dtype, batch_axis, remat: see `resnet`.
        stages: how many, from the first on.
        strides: of the stages.

    Returns:
        `Backbone`.

    Raises:
        ValueError: a depth or width out of range.
    """
    Whole(min(STAGES), max(STAGES)).check(depth=depth)
    if depth not in STAGES:
        raise ValueError(f'depth={depth} must be one of: {", ".join(map(str, STAGES))}')
    Whole(1, 2**14).check(width=width)
    return Backbone(STAGES[depth][:stages], width, dtype, batch_axis, remat, strides)


class Backbone(nn.Module):
    """From images to the output of the last stage, after its ReLU; or from one stage to another."""

    stages: tuple
    width: int
    dtype: str
    batch_axis: str
    remat: bool
    strides: tuple = (1, 2, 2, 2)  # of the stages

    @nn.compact
    def __call__(self, x, train, start=0, stop=None):
        block = layers.block(Bottleneck, self.remat)
        if start == 0:
            norm = layers.batch_norm(train, self.batch_axis, self.dtype)
            x = layers.conv(self.width, 7, 2, dtype=self.dtype, name='stem')(x)
            x = nn.relu(norm(name='stem_norm')(x))
            # Zeros are as good as -inf after a ReLU, and this is a form that jax2onnx knows.
            x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            x = nn.max_pool(x, window_shape=(3, 3), strides=(2, 2))
        for stage, blocks in list(enumerate(self.stages))[start:stop]:
            for i in range(blocks):
                stride = self.strides[stage] if i == 0 else 1
                x = block(
                    self.width * 2**stage,
                    stride,
                    self.dtype,
                    self.batch_axis,
                    name=f'stage{stage + 1}_block{i + 1}',
                )(x, train)
        return x


def stage_outputs(backbone, images, train, stages):
    """What stages of a `Backbone` give, counted from 1, in ascending order: a list of [B, h, w, c]."""
    x, start, found = images, 0, []
    for stage in stages:
        x = backbone(x, train, start=start, stop=stage)
        start = stage
        found.append(x)
    return found


class Top(nn.Module):
    """Global average pooling, linear layer."""

    num_classes: int

    @nn.compact
    def __call__(self, features, train):
        x = layers.global_pool(features)
        return layers.classifier(self.num_classes, x.shape[-1])(x)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 (stride), 1 x 1 to four times the width; the shortcut is projected where shapes change."""

    features: int
    stride: int
    dtype: str
    batch_axis: str

    @nn.compact
    def __call__(self, x, train):
        norm = layers.batch_norm(train, self.batch_axis, self.dtype)
        y = layers.conv(self.features, 1, dtype=self.dtype, name='conv1')(x)
        y = nn.relu(norm(name='norm1')(y))
        y = layers.conv(self.features, 3, self.stride, dtype=self.dtype, name='conv2')(y)
        y = nn.relu(norm(name='norm2')(y))
        y = norm(name='norm3')(layers.conv(4 * self.features, 1, dtype=self.dtype, name='conv3')(y))
        if x.shape != y.shape:
            x = layers.conv(4 * self.features, 1, self.stride, dtype=self.dtype, name='shortcut')(x)
            x = norm(name='shortcut_norm')(x)
        return nn.relu(x + y)
