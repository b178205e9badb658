import io

import numpy as np
import pytest
from PIL import Image

from resizemix_jax import calibration
from resizemix_jax.pictures import charts, drawing


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert('RGB')).astype(int)


@pytest.mark.parametrize('classes', [3, 100, 1000])
def test_a_confusion_matrix_has_true_classes_in_rows(classes):
    matrix = np.zeros((classes, classes), int)
    matrix[0, 1] = 5
    page = opened(charts.confusion(matrix, tuple(map(str, range(classes))), 'A title'))
    cell = max(1, charts.SIDE // classes)
    corner = page[charts.MARGIN :, charts.MARGIN :]
    np.testing.assert_array_equal(corner[0, cell], drawing.HEAT[-1])
    np.testing.assert_array_equal(corner[cell, 0], drawing.HEAT[0])


def test_a_reliability_diagram_shows_accuracy_and_gap():
    bins = calibration.Bins(np.array([0, 4]), np.array([0, 0.8]), np.array([0, 0.5]))
    page = opened(charts.reliability(bins, 'A title'))

    def pixel(x, y):
        x, y = charts.MARGIN + x * charts.SIDE, charts.MARGIN + (1 - y) * charts.SIDE
        return tuple(page[round(y), round(x)])

    assert pixel(0.9, 0.3) == charts.BAR and pixel(0.9, 0.7) == charts.GAP
    assert pixel(0.25, 0.1) == pixel(0.9, 0.85) == charts.PAPER
