import cv2
import numpy as np
import pytest

from resizemix_jax.input import writing
from tests.input import directories


@pytest.mark.parametrize('channels', [1, 3])
def test_png_is_lossless(channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    decoded = cv2.imdecode(np.frombuffer(writing.encode_png(image), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded.reshape(image.shape)[..., ::-1], image)


def test_nothing_is_overwritten(tmp_path):
    directories.write(tmp_path, 'cifar10', {'train': 5})
    with pytest.raises(FileExistsError):
        directories.write(tmp_path, 'cifar10', {'train': 5})
