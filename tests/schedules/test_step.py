"""Values worked out by hand, on both sides of every boundary."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.schedules.step import step


@pytest.mark.parametrize(
    ('keywords', 'expected'),
    [
        (
            dict(lr=0.4, decay_epochs=(3, 5), factor=0.1),
            {0: 0.4, 299: 0.4, 300: 0.04, 499: 0.04, 500: 0.004, 600: 0.004},
        ),
        (
            dict(lr=0.4, decay_epochs=(2.5,), factor=0.25, warmup_steps=40, warmup_lr=0.2),
            {0: 0.2, 10: 0.25, 39: 0.395, 40: 0.4, 249: 0.4, 250: 0.1, 600: 0.1},
        ),
        (dict(lr=0.3, decay_epochs=()), {0: 0.3, 600: 0.3}),
        (dict(), {0: 0.1, 600: 0.1}),  # the default's first decay is after epoch 30, and this run has 6
    ],
)
def test_values_at_several_steps(keywords, expected):
    schedule = jax.jit(step(600, 100, **keywords))
    np.testing.assert_allclose([schedule(at) for at in expected], list(expected.values()), rtol=1e-6)


def test_values_are_float32():
    value = step(600, 100)(jnp.int32(3))
    assert value.dtype == jnp.float32 and value.shape == ()


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        (dict(lr=-0.1), 'schedule_args.lr=-0.1 must be > 0'),
        (dict(factor=0.0), r'schedule_args.factor=0.0 must be in \(0, 1\]'),
        (dict(factor=10), r'schedule_args.factor=10 must be in \(0, 1\]'),
        (dict(decay_epochs=(5, 3)), r'schedule_args.decay_epochs=\(5, 3\) must be > 0 and ascending'),
        (dict(decay_epochs=(0, 3)), r'schedule_args.decay_epochs=\(0, 3\) must be > 0 and ascending'),
        (dict(decay_epochs=(3,), warmup_steps=301), 'the first is step 300, within the warm-up of .*=301'),
        (dict(decay_epochs=(), warmup_steps=600), 'a warm-up of 600 steps does not fit a run of 600 steps'),
        (dict(warmup_lr=-1.0), 'schedule_args.warmup_lr=-1.0 must be >= 0'),
    ],
)
def test_values_out_of_range_are_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        step(600, 100, **keywords)
