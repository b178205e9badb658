"""Losses and accuracies, one number per example; the caller sums or averages."""

import jax
import jax.numpy as jnp
from jax import Array


def smooth(labels: Array, amount: float) -> Array:
    """(1 - amount) * labels + amount / K: label smoothing of soft labels [B, K]."""
    return (1 - amount) * labels + amount / labels.shape[-1]


def softmax_cross_entropy(logits: Array, labels: Array) -> Array:
    """-sum_k labels_k log softmax(logits)_k, float32 [B].

    For labels (1 - lam) a + lam b it equals (1 - lam) CE(a) + lam CE(b), the mixed loss of public code.

    A logit of -inf makes it NaN, also where the label is 0 (0 * -inf), as in optax.softmax_cross_entropy and
    in torch's cross_entropy with class probabilities (2.14): no network that trains has one, and the run ends
    at that step instead of hiding it. To mask classes use a large negative number, or
    optax.safe_softmax_cross_entropy, where 0 * -inf is 0; torch's cross_entropy with class indices does not
    read the other classes' terms.
    """
    return -jnp.sum(labels * jax.nn.log_softmax(logits), axis=-1)


def sigmoid_cross_entropy(logits: Array, labels: Array) -> Array:
    """The mean over the classes of the binary cross-entropies, float32 [B] (timm's BCE)."""
    positive = labels * jax.nn.log_sigmoid(logits)
    negative = (1 - labels) * jax.nn.log_sigmoid(-logits)
    return -jnp.mean(positive + negative, axis=-1)


def softmax_binary_cross_entropy(logits: Array, labels: Array) -> Array:
    """The mean over the classes of the binary cross-entropies of the softmax's probabilities, float32 [B].

    The loss of PuzzleMix on CIFAR (snu-mllab/PuzzleMix main.py) as its formula, with logarithms clipped at
    -100: value and gradient are exact where p rounds to 0 or 1. The code there takes torch's BCELoss of the
    softmax, `torch_binary_cross_entropy`, which is something else once logits are large. With 100 classes
    and logits of standard deviation 1 both agree to 1e-7. At 10, by the labels, the value differs by 0.5 to
    6 % and the gradient by 33 to 100 % in norm; at 100, the value by 20 to 40 %.
    """
    logits = logits.astype(jnp.float32)
    log_p = jax.nn.log_softmax(logits)
    # 1 - p is the probability of the other classes: only for the likeliest class it needs their sum.
    top = jax.nn.one_hot(jnp.argmax(logits, axis=-1), logits.shape[-1], dtype=bool)
    others = jax.nn.logsumexp(logits, axis=-1, where=~top, keepdims=True) - jax.nn.logsumexp(
        logits, axis=-1, keepdims=True
    )
    log_q = jnp.where(top, others, jnp.log1p(-jnp.where(top, 0, jnp.exp(log_p))))
    each = labels * jnp.maximum(log_p, -100) + (1 - labels) * jnp.maximum(log_q, -100)
    return -jnp.mean(each, axis=-1)


def torch_binary_cross_entropy(logits: Array, labels: Array) -> Array:
    """torch.nn.BCELoss of the softmax's probabilities in float32, the mean over the classes, float32 [B].

    Law, with p = softmax(logits) rounded to float32 first:
        value     -mean(y max(log p, -100) + (1 - y) max(log(1 - p), -100));
        gradient  with respect to p (p - y) / max(p (1 - p), 1e-12), divided by the number of classes; so a
                  class with p < 1e-12 has nearly none.
    Against torch 2.14, with 100 classes and logits of standard deviation 10: value 1e-7, gradient 1e-6.
    """
    return jnp.mean(_torch_bce(jax.nn.softmax(logits.astype(jnp.float32)), labels), axis=-1)


@jax.custom_jvp
def _torch_bce(p, labels):
    return -(labels * jnp.maximum(jnp.log(p), -100) + (1 - labels) * jnp.maximum(jnp.log1p(-p), -100))


@_torch_bce.defjvp
def _torch_bce_jvp(primals, tangents):
    p, labels = primals
    p_dot, labels_dot = tangents
    slope = jnp.maximum(jnp.log1p(-p), -100) - jnp.maximum(jnp.log(p), -100)
    tangent = (p - labels) / jnp.maximum(p * (1 - p), 1e-12) * p_dot + slope * labels_dot
    return _torch_bce(p, labels), tangent


LOSSES = {
    'ce': softmax_cross_entropy,
    'bce': sigmoid_cross_entropy,
    'bce_softmax': softmax_binary_cross_entropy,
    'bce_torch': torch_binary_cross_entropy,
}


def jensen_shannon(logits: Array) -> Array:
    """The Jensen-Shannon divergence between the predictions for several views, float32 [B].

    The mean over the views of KL(p_v || m), where p_v = softmax(logits_v) and m is their mean, clipped
    to [1e-7, 1] before its logarithm.

    Source: arXiv:1912.02781; google-research/augmix, cifar.py.

    Args:
        logits: float32 [B, V, K].
    """
    log_p = jax.nn.log_softmax(logits)
    p = jnp.exp(log_p)
    log_m = jnp.log(jnp.clip(jnp.mean(p, axis=1, keepdims=True), 1e-7, 1.0))
    return jnp.mean(jnp.sum(p * (log_p - log_m), axis=-1), axis=1)


def label_share(logits: Array, labels: Array) -> Array:
    """The share that the label gives to the predicted class, float32 [B].

    For a clean label this is 0 or 1, the accuracy; for a mixed one it is lam if the source's class is
    predicted, 1 - lam if the target's: the lam-weighted accuracy of the mixing papers' code.
    """
    predicted = jnp.argmax(logits, axis=-1)
    return jnp.take_along_axis(labels, predicted[:, None], axis=-1)[:, 0]


def in_top(logits: Array, label: Array, k: int) -> Array:
    """1.0 where the true class is among the k highest scores, float32 [B].

    Equal scores are ranked by class number, as argmax does; a NaN score counts as wrong.

    Args:
        logits: float [B, K].
        label: int32 [B].
        k: >= 1.
    """
    true = jnp.take_along_axis(logits, label[:, None], axis=-1)
    earlier = jnp.arange(logits.shape[-1]) < label[:, None]
    ahead = ~(logits <= true) | ((logits == true) & earlier)
    return (jnp.sum(ahead, axis=-1) < k).astype(jnp.float32)
