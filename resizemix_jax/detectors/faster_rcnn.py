"""Faster R-CNN (Ren et al., 2015) with a feature pyramid (Lin et al., 2017), for Table 5."""

import flax.linen as nn
import jax.numpy as jnp

from resizemix_jax.layers import XAVIER, conv
from resizemix_jax.models.resnet import backbone, stage_outputs
from resizemix_jax.ranges import Choice, Whole

NEEDS = ('dtype', 'batch_axis', 'remat')
TINY = (dict(depth=14, width=4, channels=8, hidden=16),)
PER_CELL = 3  # anchors
BINS = 7  # of a pooled box, along each axis


def faster_rcnn(
    num_classes,
    *,
    depth=50,
    width=64,
    channels=256,
    hidden=1024,
    backbone_norm='eval',
    dtype='float32',
    batch_axis='',
    remat=False,
):
    """Faster R-CNN on a ResNet with FPN, as MMDetection's configuration faster_rcnn_r50_fpn.

    Pyramid: 1 x 1 convolutions of stages 1 to 4, each added to the next coarser one, enlarged to its size by
    the nearest neighbour, then 3 x 3 convolutions; the fifth level is every second cell of the fourth.
    Proposals: a 3 x 3 convolution and ReLU, then 1 x 1 convolutions to a logit and four offsets an anchor,
    shared by the levels. Head: two layers of `hidden` units with ReLU on a box's 7 x 7 features, then C + 1
    logits and four offsets a class. No BatchNorm but the backbone's.

    It starts as there: pyramid and hidden layers Xavier-uniform, proposals N(0, .01), logits N(0, .01),
    offsets N(0, .001), biases 0.

    Args:
        num_classes: C, without the background.
        depth, width: of the ResNet, see `models.resnet`.
        channels: of the pyramid.
        hidden: units of the head.
        backbone_norm: 'eval' or 'train', see `ssd300`.
        dtype, batch_axis, remat: see `resizemix_jax.models`.

    Returns:
        `FasterRCNN`.

    Raises:
        ValueError: as `ssd300`.
    """
    Choice('eval', 'train').check(backbone_norm=backbone_norm)
    Whole(1, 2**14).check(channels=channels, hidden=hidden)
    stages = backbone(depth, width, dtype=dtype, batch_axis=batch_axis, remat=remat)
    return FasterRCNN(num_classes, stages, channels, hidden, backbone_norm, dtype)


class FasterRCNN(nn.Module):
    """The parts of the detector, each a method: `pyramid`, `propose` and `classify`.

    What lies between them, the choice of boxes and RoIAlign, has no parameters and is the task's.
    """

    num_classes: int
    backbone: nn.Module
    channels: int
    hidden: int
    norm: str
    dtype: str
    streams: tuple = ()

    def setup(self):
        """Makes the parts that have parameters."""
        self.fpn = FPN(self.channels, self.dtype)
        self.rpn = RPN(self.channels, self.dtype)
        self.roi_head = Head(self.num_classes, self.hidden, self.dtype)

    def __call__(self, images, train=False):
        """(logits, offsets) of the levels, see `propose`; all parameters are made."""
        levels = self.pyramid(images, train)
        self.classify(jnp.zeros((1, BINS, BINS, self.channels)))
        return self.propose(levels)

    def pyramid(self, images, train=False):
        """Five levels [B, h, w, channels], of strides 4 to 64."""
        train = train and self.norm == 'train'
        return self.fpn(stage_outputs(self.backbone, images, train, (1, 2, 3, 4)))

    def propose(self, levels):
        """(logits float32 [B, h * w * 3], offsets float32 [B, h * w * 3, 4]), each a list of the levels."""
        return self.rpn(levels)

    def classify(self, features):
        """Of boxes' features [R, 7, 7, channels]: logits float32 [R, C + 1] and offsets float32 [R, C, 4]."""
        return self.roi_head(features)


class FPN(nn.Module):
    """From the outputs of the stages to the pyramid's levels, one more."""

    channels: int
    dtype: str

    @nn.compact
    def __call__(self, maps):
        inner = [self._conv(1, f'lateral{k}')(x) for k, x in enumerate(maps, 1)]
        for k in range(len(inner) - 1, 0, -1):
            inner[k - 1] += enlarge(inner[k], inner[k - 1].shape[1:3])
        levels = [self._conv(3, f'output{k}')(x) for k, x in enumerate(inner, 1)]
        return [*levels, levels[-1][:, ::2, ::2]]

    def _conv(self, size, name):
        return conv(self.channels, size, bias=True, init=XAVIER, dtype=self.dtype, name=name)


def enlarge(x, shape):
    """[B, h, w, C] at another (height, width) by the nearest neighbour: cell i is floor(i * old / new)."""
    for axis, size in enumerate(shape, 1):
        x = jnp.take(x, jnp.arange(size) * x.shape[axis] // size, axis=axis)
    return x


class RPN(nn.Module):
    """The region proposal network, the same for all levels."""

    channels: int
    dtype: str

    @nn.compact
    def __call__(self, levels):
        how = dict(bias=True, init=nn.initializers.normal(0.01), dtype=self.dtype)
        shared = conv(self.channels, 3, **how, name='conv')
        score = conv(PER_CELL, 1, **how, name='logits')
        move = conv(PER_CELL * 4, 1, **how, name='offsets')
        logits, offsets = [], []
        for level in levels:
            x = nn.relu(shared(level))
            logits.append(score(x).reshape(len(x), -1).astype(jnp.float32))
            offsets.append(move(x).reshape(len(x), -1, 4).astype(jnp.float32))
        return logits, offsets


class Head(nn.Module):
    """The second stage, of one box: its features to its class and its offsets for every class."""

    num_classes: int
    hidden: int
    dtype: str

    @nn.compact
    def __call__(self, features):
        # By channel, then row and column, as torch flattens: so its weights fit.
        x = features.transpose(0, 3, 1, 2).reshape(len(features), -1)
        for k in (1, 2):
            x = nn.relu(nn.Dense(self.hidden, kernel_init=XAVIER, dtype=self.dtype, name=f'hidden{k}')(x))
        logits = self._last(self.num_classes + 1, 0.01, 'logits')(x)
        offsets = self._last(4 * self.num_classes, 0.001, 'offsets')(x)
        return logits, offsets.reshape(len(x), self.num_classes, 4)

    def _last(self, features, spread, name):
        init = nn.initializers.normal(spread)
        return nn.Dense(features, kernel_init=init, dtype='float32', precision='highest', name=name)
