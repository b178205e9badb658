import jax.numpy as jnp
import pytest

from resizemix_jax import finite
from resizemix_jax.devices import parallel
from resizemix_jax.errors import NonFiniteError
from tests import toy


@pytest.mark.parametrize('count', [1, 8])
@pytest.mark.parametrize('value', ['nan', 'inf', '-inf'])
@pytest.mark.parametrize('field', ['params', 'batch_stats', 'more'])
@pytest.mark.slow
def test_a_single_value_is_found_and_named(field, value, count):
    state = toy.state(toy.task(norm=True), parallel.choose_devices(count))
    finite.check_state(state, 7, lambda: 4)
    bad = state.replace(**{field: {'layer': {'kernel': jnp.ones((3, 4)).at[2, 1].set(float(value))}}})
    text = f'After step 7 there are NaN or infinite values in {field}/layer/kernel; that state is not saved'
    with pytest.raises(NonFiniteError, match=f'{text}. The newest checkpoint is of step 4'):
        finite.check_state(bad, 7, lambda: 4)
    with pytest.raises(NonFiniteError, match='No checkpoint was saved before'):
        finite.check_state(bad, 7, lambda: 0)


def test_integers_and_metrics_are_not_asked():
    state = toy.state(toy.task(norm=True), parallel.choose_devices(1))
    finite.check_state(state.replace(metrics={'a': jnp.nan}, opt_state={'count': jnp.int32(1)}), 1, None)


@pytest.mark.slow
def test_the_loss():
    finite.check_loss(None, 3, None)
    finite.check_loss({'loss': 1.0}, 3, None)
    with pytest.raises(
        NonFiniteError, match='The loss of step 3 is nan; that state is not saved. The newest'
    ):
        finite.check_loss({'loss': float('nan')}, 3, lambda: 2)
