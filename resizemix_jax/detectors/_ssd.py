"""The single-shot detector (Liu et al., 2016) on a ResNet: one 3 x 3 convolution a level and output."""

import flax.linen as nn
import jax.numpy as jnp

from resizemix_jax.detection.anchors import ssd_anchors
from resizemix_jax.layers import XAVIER, batch_norm, conv
from resizemix_jax.models.resnet import stage_outputs


class SSD(nn.Module):
    """From images to the logits and offsets of all anchors: float32 [B, A, C + 1] and [B, A, 4].

    Attributes:
        num_classes: C.
        backbone: `models.resnet.Backbone`.
        stages: whose outputs are levels, counted from 1.
        smooth: channels of a 3 x 3 convolution and ReLU after the last of them; 0: none.
        extras: (inner channels, channels, stride, padding) of each further level: a 1 x 1 and a 3 x 3
            convolution, each with a ReLU.
        extras_norm: BatchNorm in the extras, in place of the bias.
        scale: of the L2 normalisation of the first level, learned from there on; 0: none.
        shapes, strides, sides, ratios: of the anchors, see `detection.anchors.ssd_anchors`.
        norm: 'train' or 'eval', whether the backbone's BatchNorm trains; 'eval' uses its running statistics.
        dtype, batch_axis: see `resizemix_jax.models`.
    """

    num_classes: int
    backbone: nn.Module
    stages: tuple
    smooth: int
    extras: tuple
    extras_norm: bool
    scale: float
    shapes: tuple
    strides: tuple
    sides: tuple
    ratios: tuple
    norm: str
    dtype: str
    batch_axis: str
    streams: tuple = ()

    @nn.compact
    def __call__(self, images, train=False):
        levels = stage_outputs(self.backbone, images, train and self.norm == 'train', self.stages)
        if self.scale:
            levels[0] = L2Norm(self.scale, self.dtype, name='l2_norm')(levels[0])
        if self.smooth:
            smooth = conv(self.smooth, bias=True, init=XAVIER, dtype=self.dtype, name='smooth')
            levels[-1] = nn.relu(smooth(levels[-1]))
        for number in range(len(self.extras)):
            levels.append(self._extra(number, levels[-1], train))
        if tuple(level.shape[1:3] for level in levels) != self.shapes:
            raise ValueError(
                f'images of {images.shape[1]} x {images.shape[2]} pixels give levels of '
                f'{[level.shape[1:3] for level in levels]} cells, and the anchors are for {list(self.shapes)}'
            )
        logits = self._predict('logits', self.num_classes + 1, levels)
        return logits, self._predict('offsets', 4, levels)

    def anchors(self):
        """Of all levels, one after another: NumPy float32 [A, 4]."""
        return jnp.concatenate(
            ssd_anchors(self.shapes, strides=self.strides, sides=self.sides, ratios=self.ratios)
        )

    def _extra(self, number, x, train):
        inner, channels, stride, padding = self.extras[number]
        norm = batch_norm(train, self.batch_axis, self.dtype)
        for k, shape in enumerate(((inner, 1, 1), (channels, 3, stride)), 1):
            name = f'extra{number + 1}_conv{k}'
            how = dict(padding=padding if k == 2 else 0, bias=not self.extras_norm, init=XAVIER)
            x = conv(*shape, **how, dtype=self.dtype, name=name)(x)
            if self.extras_norm:
                x = norm(name=f'extra{number + 1}_norm{k}')(x)
            x = nn.relu(x)
        return x

    def _predict(self, kind, numbers, levels):
        """One 3 x 3 convolution a level; float32 [B, A, numbers], in the order of the anchors."""
        found = []
        for k, level in enumerate(levels):
            per_cell = 2 + 2 * len(self.ratios[k])
            name = f'{kind}{k + 1}'
            x = conv(per_cell * numbers, bias=True, init=XAVIER, dtype=self.dtype, name=name)(level)
            found.append(x.reshape(len(x), -1, numbers).astype(jnp.float32))
        return jnp.concatenate(found, axis=1)


class L2Norm(nn.Module):
    """Every cell divided by its norm, then scaled by a learned number a channel: scale x / (|x| + 1e-10)."""

    scale: float
    dtype: str

    @nn.compact
    def __call__(self, x):
        scale = self.param('scale', nn.initializers.constant(self.scale), x.shape[-1:])
        x = x.astype(jnp.float32)
        # The norm of zeros has no gradient; with the sum of squares held above 0 it is 0.
        norm = jnp.sqrt(jnp.maximum(jnp.sum(x * x, axis=-1, keepdims=True), 1e-20))
        return (scale * x / (norm + 1e-10)).astype(self.dtype)
