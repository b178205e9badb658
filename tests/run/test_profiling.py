import jax
import jax.numpy as jnp
import pytest

from resizemix_jax.run.profiling import Profile


@pytest.mark.parametrize(('steps', 'traced'), [(0, []), (2, [5, 6])])
@pytest.mark.slow
def test_the_chosen_steps_are_traced_and_no_others(steps, traced, tmp_path, caplog):
    profile = Profile(tmp_path, first=3, steps=steps)
    with caplog.at_level('INFO', logger='resizemix_jax'):
        for step in range(3, 9):
            profile.at(step)
            with jax.profiler.TraceAnnotation(f'step_number_{step + 1}'):
                jnp.ones(3).block_until_ready()
    content = b''.join(path.read_bytes() for path in tmp_path.glob('**/*.xplane.pb'))
    assert [step for step in range(4, 10) if f'step_number_{step}'.encode() in content] == traced
    assert ('The trace of steps 5 to 6 is in' in caplog.text) == bool(traced)


def test_a_trace_that_fails_is_a_warning(tmp_path, caplog):
    (tmp_path / 'profile').write_text('')
    profile = Profile(tmp_path / 'profile', first=0, steps=1)
    for step in range(4):
        profile.at(step)
    assert caplog.text.count('No trace is written: ') == 1
