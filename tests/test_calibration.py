import math

import numpy as np
import pytest

from resizemix_jax import calibration

LABEL = np.array([0, 1, 1, 2])


def logits_of(*probabilities):
    return np.log(np.array(probabilities))


FOUR = logits_of([0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1], [0.05, 0.05, 0.9])


def test_nll_and_brier_by_hand():
    expected = -(math.log(0.5) + math.log(0.8) + math.log(0.2) + math.log(0.9)) / 4
    assert calibration.nll(FOUR, LABEL) == pytest.approx(expected, abs=1e-12)
    terms = 0.25 + 2 * 0.0625, 0.04 + 2 * 0.01, 0.49 + 0.64 + 0.01, 0.01 + 2 * 0.0025
    assert calibration.brier(FOUR, LABEL) == pytest.approx(sum(terms) / 4, abs=1e-12)
    certain = np.array([[1000.0, 0.0], [1000.0, 0.0]])  # nothing overflows
    assert calibration.brier(certain, [0, 1]) == 1 and calibration.nll(certain, [0, 1]) == 500


def test_ece_by_hand():
    bins = calibration.reliability(FOUR, LABEL, bins=5)  # (0.4, 0.6]: 0.5; (0.6, 0.8]: 0.7, 0.8; above: 0.9
    assert bins.number.tolist() == [0, 0, 1, 2, 1]
    np.testing.assert_allclose(bins.confidence, [0, 0, 0.5, 0.75, 0.9])
    np.testing.assert_allclose(bins.accuracy, [0, 0, 1, 0.5, 1])
    assert calibration.ece(bins) == pytest.approx((0.5 + 2 * 0.25 + 0.1) / 4)


def test_a_confidence_on_a_border_belongs_to_the_bin_below():
    half = np.zeros((1, 2))  # exactly 0.5
    assert calibration.reliability(half, [0], bins=2).number.tolist() == [1, 0]
    assert calibration.reliability(half, [0], bins=4).number.tolist() == [0, 1, 0, 0]
    assert calibration.reliability(np.array([[500.0, 0.0]]), [0]).number.tolist() == [0] * 14 + [1]


def test_the_temperature_is_that_of_the_least_loss():
    logits = np.array([[2.0, 0.0]] * 4)  # three of four right: the best probability is 3/4
    label = np.array([0, 0, 0, 1])
    found = calibration.temperature(logits, label)
    assert found == pytest.approx(2 / math.log(3), rel=1e-12)
    assert calibration.nll(logits / found, label) < calibration.nll(logits / (found * 1.01), label)
    assert calibration.temperature(3 * logits, label) == pytest.approx(3 * found, rel=1e-12)
    assert calibration.temperature(logits, np.zeros(4, int)) == pytest.approx(1e-3)
    assert calibration.temperature(logits, np.ones(4, int)) == pytest.approx(1e3)


def test_confusion_has_the_true_classes_in_rows():
    made = calibration.confusion(np.argmax(FOUR, axis=1), LABEL, 4)
    assert made.tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(calibration.class_accuracy(made), [1, 0.5, 1, np.nan])
