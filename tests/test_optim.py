import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import optim


def test_cosine_after_a_linear_warm_up():
    schedule = optim.learning_rate(1000, lr=0.2, warmup_steps=100, warmup_lr=1e-5, final_lr=1e-5)
    assert float(schedule(0)) == pytest.approx(1e-5)
    assert float(schedule(50)) == pytest.approx(1e-5 + (0.2 - 1e-5) / 2)
    assert float(schedule(100)) == pytest.approx(0.2)
    assert float(schedule(550)) == pytest.approx((0.2 + 1e-5) / 2, rel=1e-4)
    assert float(schedule(1000)) == pytest.approx(1e-5, rel=1e-3)


def test_paper_schedule_has_no_warm_up():
    schedule = optim.learning_rate(400, lr=0.1)
    values = [float(schedule(step)) for step in (0, 100, 200, 300)]
    expected = [0.05 * (1 + math.cos(math.pi * t)) for t in (0, 0.25, 0.5, 0.75)]
    assert values == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('nesterov', [True, False])
def test_updates_are_torch_s(nesterov):
    """torch.optim.SGD, written out: d = g + wd p; b = m b + d; p -= lr (d + m b if nesterov else b)."""
    tx = optim.sgd(lambda step: 0.1, momentum=0.9, nesterov=nesterov, weight_decay=0.01)
    p, buffer = 1.0, 0.0
    params, grads = {'w': jnp.array([p])}, [0.5, -0.3, 0.2]
    state = tx.init(params)
    for grad in grads:
        updates, state = tx.update({'w': jnp.array([grad])}, state, params)
        params = jax.tree.map(jnp.add, params, updates)
        d = grad + 0.01 * p
        buffer = 0.9 * buffer + d
        p -= 0.1 * (d + 0.9 * buffer if nesterov else buffer)
        np.testing.assert_allclose(params['w'], [p], rtol=1e-6)


def test_decay_of_kernels_only():
    params = {'kernel': jnp.ones((2, 2)), 'bias': jnp.ones(2)}
    zeros = jax.tree.map(jnp.zeros_like, params)
    for decay, bias in (('all', -0.01), ('kernels', 0.0)):
        tx = optim.sgd(lambda step: 0.1, momentum=0.0, nesterov=False, weight_decay=0.1, decay=decay)
        updates, _ = tx.update(zeros, tx.init(params), params)
        np.testing.assert_allclose(updates['kernel'], -0.01 * np.ones((2, 2)), rtol=1e-6)
        np.testing.assert_allclose(updates['bias'], bias * np.ones(2), rtol=1e-6)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda: optim.learning_rate(10, lr=0.0), 'optimizer.lr=0.0 must be > 0'),
        (lambda: optim.learning_rate(10, lr=0.1, warmup_steps=10), 'a warm-up of 10 steps does not fit'),
        (lambda: optim.sgd(0.1, decay='some'), "optimizer.decay='some' must be"),
        (lambda: optim.sgd(0.1, momentum=1.0), 'optimizer.momentum=1.0 must be in'),
        (lambda: optim.sgd(0.1, momentum=0.0), 'nesterov=True needs'),
        (lambda: optim.sgd(0.1, weight_decay=-1.0), 'optimizer.weight_decay=-1.0 must be >= 0'),
    ],
)
def test_bad_numbers_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
