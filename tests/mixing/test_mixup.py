import functools

import jax
import numpy as np
import pytest

from resizemix_jax.mixing.mixup import mixup
from tests.mixing import coded

KEYS = jax.random.split(jax.random.key(3), 500)


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.slow
def test_images_and_labels_have_the_same_weights(per):
    images, labels = coded.many(functools.partial(mixup, per=per), KEYS[:50], *coded.batch(8, 4, 4, 1))
    # Image i is i: the mixed value is the mean of the class numbers under the label row.
    expected = labels @ np.arange(8)
    np.testing.assert_allclose(images[..., 0, 0, 0], expected, atol=1e-5)
    assert (images == images[:, :, :1, :1, :1]).all()


@pytest.mark.parametrize('per', ['batch', 'sample'])
@pytest.mark.parametrize('alpha', [1.0, 0.5])
@pytest.mark.slow
def test_lam_is_beta(alpha, per):
    _, labels = coded.many(functools.partial(mixup, alpha=alpha, per=per), KEYS, *coded.batch(8, 2, 2, 1))
    own = labels[:, np.arange(8), np.arange(8)]
    lam = 1 - own[own < 1] if per == 'sample' else 1 - own.min(axis=1)
    variance = 1 / (4 * (2 * alpha + 1))
    assert lam.mean() == pytest.approx(0.5, abs=6 * (variance / len(lam)) ** 0.5)
    assert lam.var() == pytest.approx(variance, rel=0.2)
    if per == 'batch':
        assert all(np.ptp(row[row < 1]) < 1e-6 for row in own)


@pytest.mark.slow
def test_bad_alpha_is_refused(key):
    with pytest.raises(ValueError, match='alpha=-1.0 must be > 0'):
        mixup(key, *coded.batch(2), alpha=-1.0)
