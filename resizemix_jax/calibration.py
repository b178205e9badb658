"""How far a classifier's probabilities can be trusted: pure functions of NumPy arrays.

Shapes: N examples, K classes; `logits` float [N, K], `label` int [N]. All is computed in float64. None of the
functions takes an empty array.
"""

from typing import NamedTuple

import numpy as np

BINS = 15
TEMPERATURES = 1e-3, 1e3  # between which one is sought
HALVINGS = 50


class Bins(NamedTuple):
    """The examples by their confidence: arrays [bins].

    Attributes:
        number: of examples, int64.
        confidence: the mean confidence; 0 in an empty bin.
        accuracy: the share of the examples that are right; 0 in an empty bin.
    """

    number: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def log_softmax(logits):
    """The logarithms of the probabilities, float64 [N, K]."""
    logits = np.asarray(logits, np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def nll(logits, label):
    """The mean negative log-likelihood of the labels, in nats: the evaluation's `loss`, in float64."""
    return float(-log_softmax(logits)[np.arange(len(label)), label].mean())


def brier(logits, label):
    """The mean over the examples of sum_k (p_k - [k = label])^2, in [0, 2]: the multi-class score of Brier.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950, eq. 2. The form that
    sums over one class alone, of two, is half of it; some libraries divide it by K.
    """
    p = np.exp(log_softmax(logits))
    p[np.arange(len(label)), label] -= 1
    return float(np.square(p).sum(axis=1).mean())


def reliability(logits, label, bins=BINS):
    """The `Bins` of equal width of the confidence, the highest probability of an example.

    Law: bin m of M, from 1, is ((m - 1) / M, m / M], as in the paper, so a confidence on a border belongs to
    the bin below it; the first also has 0. The predicted class is the first of those with the highest logit.

    Source: Guo et al., "On calibration of modern neural networks", arXiv:1706.04599, section 2.
    """
    confidence = np.exp(log_softmax(logits).max(axis=1))
    correct = np.argmax(logits, axis=1) == label
    # The upper borders as they are written, m / M: a product with M would round some to the other side.
    index = np.minimum(np.searchsorted(np.arange(1, bins + 1) / bins, confidence), bins - 1)
    count = np.bincount(index, minlength=bins)
    sums = (np.bincount(index, values, minlength=bins) for values in (confidence, correct))
    means = (total / np.maximum(count, 1) for total in sums)
    return Bins(count, *means)


def ece(bins):
    """The expected calibration error of `Bins`: the mean of |accuracy - confidence|, weighted by number.

    Source: arXiv:1706.04599, eq. 5.
    """
    gaps = np.abs(bins.accuracy - bins.confidence)
    return float((bins.number * gaps).sum() / bins.number.sum())


def temperature(logits, label):
    """The T > 0 that minimises `nll(logits / T, label)`, from 0.001 to 1000.

    The negative log-likelihood is convex in 1 / T, so the zero of its derivative is found by bisection on
    log T, to 1e-14 of log T. With every label at its highest logit there is no minimum, and T is the least.

    Source: arXiv:1706.04599, section 4.2.
    """
    logits = np.asarray(logits, np.float64)
    true = logits[np.arange(len(label)), label]

    def rises(t):
        """Whether the loss rises with 1 / T at T = t: the expected logit is above the label's."""
        p = np.exp(log_softmax(logits / t))
        return ((p * logits).sum(axis=1) - true).mean() > 0

    low, high = np.log(TEMPERATURES)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(np.exp(middle)) else (low, middle)
    return float(np.exp((low + high) / 2))


def confusion(predicted, label, num_classes):
    """The number of examples of each class (row) that were given each class (column): int64 [K, K]."""
    pairs = np.asarray(label, np.int64) * num_classes + predicted
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_accuracy(confusion):
    """The share of the examples of each class that are right, float64 [K]; NaN of a class without any."""
    count = confusion.sum(axis=1)
    return np.where(count > 0, np.diag(confusion) / np.maximum(count, 1), np.nan)
