"""Class maps: heat maps of a class over an image, as pure functions of features and head.

Shared contract: `<name>(head, features, label, *, target, ...) -> heat`
    head      features -> logits float32 [B, K]: the network after the features.
    features  float [B, h, w, c].
    label     int32 [B].
    target    the class that is shown: 'label', or 'argmax', the class that the network predicts.
    heat      float32 [B, h, w], not scaled.
There are no hooks and no state: the caller drops the BatchNorm statistics that `head` would update.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from resizemix_jax.ranges import Choice

TARGETS = ('argmax', 'label')
REDUCTIONS = ('mean', 'sum')


def grad_cam(
    head: Callable[[Array], Array],
    features: Array,
    label: Array,
    *,
    target: str = 'argmax',
    reduction: str = 'mean',
) -> Array:
    """Grad-CAM (Selvaraju et al., 2017): the features, weighted by how much each channel moves the class.

    Law:
        weight_k = the mean over the positions of d logit / d features[..., k];
        heat     = relu(mean or sum over k of weight_k * features[..., k]).
        Without evidence for the class the map is 0 everywhere.

    Source: arXiv:1610.02391, eq. 1-2, which sums over the channels. The heat maps of the ResizeMix paper
    are Grad-CAM; the part of its code that was published (tools/grad_cam.py of JayQine/ResizeMix) takes the
    predicted class and the mean over the channels, of the last block's output before the last BN-ReLU, and
    then divides each map by its maximum. Neither that nor mean or sum changes where a map is highest or
    lowest.

    If `head` takes BatchNorm's statistics of the batch, the gradient also flows through them, as there.

    Args:
        head, features, label, target: see the contract of this module.
        reduction: over the channels, 'mean' or 'sum'.

    Returns:
        float32 [B, h, w], >= 0.
    """
    Choice(*REDUCTIONS).check(reduction=reduction)
    logits, pullback = jax.vjp(head, features)
    chosen = jax.nn.one_hot(_class(logits, label, target), logits.shape[-1], dtype=logits.dtype)
    (gradient,) = pullback(chosen)
    weights = jnp.mean(gradient.astype(jnp.float32), axis=(1, 2), keepdims=True)
    return jax.nn.relu(getattr(jnp, reduction)(weights * features.astype(jnp.float32), axis=-1))


def cam(head: Callable[[Array], Array], features: Array, label: Array, *, target: str = 'label') -> Array:
    """CAM (Zhou et al., 2016): the logit of the class that each position alone would give.

    For a head that works position by position, averages, and ends in a linear layer, as that of every
    network here (at the last layer), this is their map sum_k w_k f_k plus the class's bias, and the mean of
    a map is the class's logit. It is not clipped at 0.

    Source: arXiv:1512.04150, section 2; Figure 5 of the ResizeMix paper.

    Args:
        head, features, label, target: see the contract of this module.

    Returns:
        float32 [B, h, w].
    """
    batch, height, width, channels = features.shape
    logits = head(features.reshape(-1, 1, 1, channels)).reshape(batch, height, width, -1)
    chosen = _class(jnp.mean(logits, axis=(1, 2)), label, target)
    return jnp.take_along_axis(logits, chosen[:, None, None, None], axis=-1)[..., 0]


def input_gradient(
    head: Callable[[Array], Array], features: Array, label: Array, *, target: str = 'label'
) -> Array:
    """The saliency of PuzzleMix: how much each pixel moves the loss.

    Law:
        heat = sqrt(mean over the channels of g^2), g the gradient of the sum of the images' cross-entropies
        with respect to the features; pass the normalised images as features, and the whole network as `head`.

    Source: arXiv:2003.09590; snu-mllab/PuzzleMix main.py, which takes the mean over the batch, so its maps
    are these divided by B, and runs the network in evaluation mode (unless it trains on clean images too).

    Args:
        head, features, label, target: see the contract of this module.

    Returns:
        float32 [B, h, w], >= 0.
    """

    def loss(features):
        logits = head(features)
        chosen = _class(jax.lax.stop_gradient(logits), label, target)
        return -jnp.sum(jnp.take_along_axis(jax.nn.log_softmax(logits), chosen[:, None], axis=-1))

    gradient = jax.grad(loss)(features).astype(jnp.float32)
    return jnp.sqrt(jnp.mean(gradient**2, axis=-1))


METHODS = {'grad_cam': grad_cam, 'cam': cam, 'input_gradient': input_gradient}
OF_IMAGES = ('input_gradient',)  # the methods whose features are the images themselves


def upsample(heat: Array, height: int, width: int) -> Array:
    """Heat maps at the size of the images: [B, h, w] -> float32 [B, height, width].

    Bilinear with half-pixel centres, edges repeated (torch's align_corners=False), as the reference does.
    """
    return jax.image.resize(heat, (heat.shape[0], height, width), 'linear', antialias=False)


def _class(logits, label, target):
    Choice(*TARGETS).check(target=target)
    return label if target == 'label' else jnp.argmax(logits, axis=-1)
