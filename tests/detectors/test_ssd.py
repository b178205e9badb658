import jax
import numpy as np
import pytest

from resizemix_jax.detectors._ssd import L2Norm
from resizemix_jax.detectors.ssd300 import ssd300
from tests.detectors.test_ssd300 import parameters


@pytest.mark.slow
def test_the_first_level_can_be_normalised():
    assert parameters(ssd300(20, depth=14, width=4, l2_norm=True))['l2_norm']['scale'].shape == (32,)
    x = np.array([[[[3.0, 4.0], [0.0, 0.0]]]], np.float32)
    model = L2Norm(20.0, 'float32')
    variables = model.init(jax.random.key(0), x)
    np.testing.assert_allclose(model.apply(variables, x), [[[[12, 16], [0, 0]]]], rtol=1e-6)
    gradient = jax.grad(lambda x: model.apply(variables, x).sum())(x)
    assert np.all(np.isfinite(gradient))
