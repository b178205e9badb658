"""The layers that the networks share, with torch's conventions."""

import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

DEEPEST = 400  # blocks are traced one by one: this many layers take up to 20 s on one core


class Network(nn.Module):
    """A network in two parts: `backbone` computes the last features, `top` the logits from them.

    Attributes:
        streams: the names of the random streams that training draws from.
    """

    backbone: nn.Module
    top: nn.Module
    streams: tuple

    def __call__(self, images, train=False):
        return self.top(self.backbone(images, train), train)


class Classifier(Network):
    """A network whose features are maps [B, h, w, c], so that saliency maps can be computed from them.

    The backbone is a stem and `groups` groups of blocks, and can be run from after one group to after
    another. So the two parts can be cut at any of them: `layer` counts the groups from 1, 0 is the last.
    """

    groups: int

    def features(self, images, train=False, layer=0):
        return self.backbone(images, train, stop=self._group(layer))

    def head(self, features, train=False, layer=0):
        return self.top(self.backbone(features, train, start=self._group(layer)), train)

    def _group(self, layer):
        if not 0 <= layer <= self.groups:
            raise ValueError(
                f'layer={layer} must be a group of blocks, 1 to {self.groups}, or 0 for the last one'
            )
        return layer or self.groups


def block(kind, remat):
    """The class of a block `kind(...)(x, train)`; with `remat`, its backward pass recomputes its values."""
    # 2: `train`, a Python bool.
    return nn.remat(kind, static_argnums=(2,)) if remat else kind


def normal_fan_in(key, shape, dtype=jnp.float32):
    """N(0, 2 / (k * k * C_in)): the original Wide ResNet's."""
    return jax.random.normal(key, shape, dtype) * math.sqrt(2 / math.prod(shape[:-1]))


def normal_fan_out(key, shape, dtype=jnp.float32):
    """N(0, 2 / (k * k * C_out)): Shake-Shake's and ResNet's."""
    return jax.random.normal(key, shape, dtype) * math.sqrt(2 / (math.prod(shape[:-2]) * shape[-1]))


def torch_uniform(key, shape, dtype=jnp.float32):
    """U(-b, b) with b = 1 / sqrt(fan_in): torch's default for the weights of conv and linear layers."""
    return torch_bias(math.prod(shape[:-1]))(key, shape, dtype)


def torch_bias(fan_in):
    """U(-b, b) with b = 1 / sqrt(fan_in): torch's default for biases; `fan_in` is the layer's."""
    bound = 1 / math.sqrt(fan_in)
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(key, shape, dtype, -bound, bound)


XAVIER = nn.initializers.xavier_uniform()  # torch's xavier_uniform_


def conv(features, size=3, stride=1, *, padding=None, bias=False, init=normal_fan_out, fan_in=0, dtype, name):
    """A size x size convolution with `padding` pixels on every side; None is torch's usual size // 2.

    `fan_in` > 0 initialises the bias as torch does; otherwise it starts at zero.
    """
    padding = size // 2 if padding is None else padding
    return nn.Conv(
        features,
        (size, size),
        strides=stride,
        padding=[(padding, padding)] * 2,
        use_bias=bias,
        kernel_init=init,
        bias_init=torch_bias(fan_in) if fan_in else nn.initializers.zeros,
        dtype=dtype,
        name=name,
    )


def classifier(num_classes, fan_in, *, zero_bias=False, name='classifier'):
    """The last linear layer, with torch's default initialisation (or a zero bias).

    Input, product and logits are float32 for every dtype of the network, and the precision is the highest,
    since accelerators multiply float32 in fewer digits otherwise.
    """
    return nn.Dense(
        num_classes,
        kernel_init=torch_uniform,
        bias_init=nn.initializers.zeros if zero_bias else torch_bias(fan_in),
        dtype='float32',
        precision='highest',
        name=name,
    )


def batch_norm(train, batch_axis, dtype):
    """BatchNorm(name=...)(x): eps 1e-5, running momentum 0.9 (torch's 0.1), statistics in float32."""
    return functools.partial(
        BatchNorm,
        use_running_average=not train,
        momentum=0.9,
        epsilon=1e-5,
        dtype=dtype,
        axis_name=batch_axis or None,
    )


class BatchNorm(nn.BatchNorm):
    """Flax's BatchNorm over the last axis, with a variance that does not cancel, in as many passes over x.

    Law: with c a channel's mean over the first image (with axis_name, averaged over the devices),
    mean = c + E[x - c] and var = E[(x - c)^2] - E[x - c]^2, the biased variance, for any c. Flax's own form
    has c = 0, and loses all digits once the mean is 1000 times the standard deviation. Here c is never more
    than sqrt(B) standard deviations from the mean of B images, since its image is one of them.
    """

    @nn.compact
    def __call__(self, x, use_running_average=None):
        shape = x.shape[-1:]
        running = [
            self.variable('batch_stats', name, init, shape)
            for name, init in (('mean', jnp.zeros), ('var', jnp.ones))
        ]
        values = x.astype(jnp.float32)
        if nn.merge_param('use_running_average', self.use_running_average, use_running_average):
            mean, var = (variable.value for variable in running)
        else:
            mean, var = self._statistics(values)
            if not self.is_initializing():
                for variable, new in zip(running, (mean, var), strict=True):
                    variable.value = self.momentum * variable.value + (1 - self.momentum) * new
        scale, bias = self.param('scale', self.scale_init, shape), self.param('bias', self.bias_init, shape)
        return ((values - mean) * (lax.rsqrt(var + self.epsilon) * scale) + bias).astype(self.dtype)

    def _statistics(self, x):
        def average(tree):
            together = self.axis_name and not self.is_initializing()
            return lax.pmean(tree, self.axis_name) if together else tree

        axes = tuple(range(x.ndim - 1))
        centre = average(lax.stop_gradient(jnp.mean(x[:1], axes)))
        moved = x - centre
        mean, square = average((jnp.mean(moved, axes), jnp.mean(moved**2, axes)))
        return centre + mean, jnp.maximum(square - mean**2, 0)


def global_pool(x):
    """The mean over the spatial axes: [B, h, w, c] -> float32 [B, c]."""
    return jnp.mean(x, axis=(1, 2), dtype=jnp.float32)
