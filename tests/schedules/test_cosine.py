"""Values worked out by hand: cos(pi / 3) = 1/2, cos(pi / 2) = 0, cos(2 pi / 3) = -1/2."""

import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax.schedules.cosine import cosine


@pytest.mark.parametrize(
    ('keywords', 'expected'),
    [
        # The paper: 600 steps from lr to 0, no warm-up.
        (dict(lr=0.1), {0: 0.1, 200: 0.075, 300: 0.05, 400: 0.025, 600: 0.0}),
        (dict(lr=0.1, final_lr=0.02), {0: 0.1, 200: 0.08, 300: 0.06, 400: 0.04, 600: 0.02}),
        # 3 epochs of 100 steps up from 0.05 to 0.2, then 300 steps down to 0.1.
        (
            dict(lr=0.2, warmup_epochs=3, warmup_lr=0.05, final_lr=0.1),
            {
                0: 0.05,
                100: 0.1,
                200: 0.15,
                299: 0.1995,
                300: 0.2,
                400: 0.175,
                450: 0.15,
                500: 0.125,
                600: 0.1,
            },
        ),
        (dict(lr=0.2, warmup_epochs=1), {0: 1e-5, 50: 0.100005, 100: 0.2}),
    ],
)
def test_values_at_several_steps(keywords, expected):
    schedule = cosine(600, 100, **keywords)
    np.testing.assert_allclose([schedule(step) for step in expected], list(expected.values()), atol=1e-7)


def test_values_are_float32_for_integers_and_arrays():
    schedule = cosine(600, 100)
    for step in (200, np.int64(200), jnp.int32(200)):
        assert schedule(step).dtype == jnp.float32 and schedule(step).shape == ()


@pytest.mark.parametrize(
    ('keywords', 'message'),
    [
        (dict(lr=0.0), 'schedule_args.lr=0.0 must be > 0'),
        (dict(final_lr=-0.1), 'schedule_args.final_lr=-0.1 must be >= 0'),
        (dict(warmup_lr=-0.1), 'schedule_args.warmup_lr=-0.1 must be >= 0'),
        (dict(warmup_epochs=-1), 'schedule_args.warmup_epochs=-1 must be >= 0'),
        (dict(warmup_epochs=3), 'a warm-up of 30 steps does not fit a run of 30 steps'),
    ],
)
def test_values_out_of_range_are_refused(keywords, message):
    with pytest.raises(ValueError, match=message):
        cosine(30, 10, **keywords)
