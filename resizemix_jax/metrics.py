"""Losses and accuracies, one number an example; the caller sums or averages."""

import jax
import jax.numpy as jnp


def smooth(labels, amount):
    """(1 - amount) * labels + amount / K: label smoothing of soft labels [B, K]."""
    return (1 - amount) * labels + amount / labels.shape[-1]


def softmax_cross_entropy(logits, labels):
    """-sum_k labels_k log softmax(logits)_k, float32 [B].

    For labels (1 - lam) a + lam b it equals (1 - lam) CE(a) + lam CE(b), the mixed loss of public code.
    """
    return -jnp.sum(labels * jax.nn.log_softmax(logits), axis=-1)


def sigmoid_cross_entropy(logits, labels):
    """The mean over the classes of the binary cross-entropies, float32 [B] (timm's BCE)."""
    positive = labels * jax.nn.log_sigmoid(logits)
    negative = (1 - labels) * jax.nn.log_sigmoid(-logits)
    return -jnp.mean(positive + negative, axis=-1)


LOSSES = {'ce': softmax_cross_entropy, 'bce': sigmoid_cross_entropy}


def label_share(logits, labels):
    """The share that the label gives to the predicted class, float32 [B].

    For a clean label this is 0 or 1, the accuracy; for a mixed one it is lam if the source's class is
    predicted, 1 - lam if the target's: the lam-weighted accuracy of the mixing papers' code.
    """
    predicted = jnp.argmax(logits, axis=-1)
    return jnp.take_along_axis(labels, predicted[:, None], axis=-1)[:, 0]


def in_top(logits, label, k):
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
