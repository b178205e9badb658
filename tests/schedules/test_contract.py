"""What holds for every schedule: float32, between 0 and `lr`, the same under jit and outside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import find

ALL = pytest.mark.parametrize('name', find.names('schedules'))


@ALL
@pytest.mark.slow
def test_values_of_a_run(name):
    schedule = find.find('schedules', name)(45, 10, lr=0.25)
    values = jax.vmap(schedule)(jnp.arange(46))
    assert values.dtype == jnp.float32 and values.shape == (46,)
    assert (values >= 0).all() and (values <= 0.25).all() and values.max() == 0.25
    for step in (0, 7, 44, 45):
        np.testing.assert_allclose(schedule(step), values[step], rtol=1e-6)


@ALL
@pytest.mark.slow
def test_a_rate_of_zero_is_refused(name):
    with pytest.raises(ValueError, match='schedule_args.lr=0 must be > 0'):
        find.find('schedules', name)(45, 10, lr=0)
