import contextlib

import jax
import jax.numpy as jnp
import pytest

from resizemix_jax.errors import PreemptedError
from resizemix_jax.run.profiling import Profile


@pytest.mark.parametrize(('steps', 'traced'), [(0, []), (2, [5, 6])])
@pytest.mark.slow
def test_the_chosen_steps_are_traced_and_no_others(steps, traced, tmp_path, caplog):
    with caplog.at_level('INFO', logger='resizemix_jax'), Profile(tmp_path, first=3, steps=steps) as profile:
        for step in range(3, 9):
            profile.at(step)
            with jax.profiler.TraceAnnotation(f'step_number_{step + 1}'):
                jnp.ones(3).block_until_ready()
    content = b''.join(path.read_bytes() for path in tmp_path.glob('**/*.xplane.pb'))
    assert [step for step in range(4, 10) if f'step_number_{step}'.encode() in content] == traced
    assert ('The trace of steps 5 to 6 is in' in caplog.text) == bool(traced)


def test_a_trace_that_fails_is_a_warning_and_leaves_none_open(tmp_path, caplog):
    (tmp_path / 'profile').write_text('')
    with Profile(tmp_path / 'profile', first=0, steps=1) as profile:
        for step in range(4):
            profile.at(step)
    assert caplog.text.count('No trace is written: ') == 1
    with jax.profiler.trace(tmp_path):  # refuses to start while another is open
        pass


@pytest.mark.parametrize('error', [None, PreemptedError('SIGTERM')])
def test_a_run_that_ends_within_its_trace_ends_it(error, tmp_path, caplog):
    with (
        caplog.at_level('INFO', logger='resizemix_jax'),
        contextlib.suppress(PreemptedError),
        Profile(tmp_path, first=3, steps=9) as profile,
    ):
        for step in range(3, 7):
            profile.at(step)
        if error:
            raise error
    assert 'The trace of steps 5 to 6 is in' in caplog.text and list(tmp_path.rglob('*.xplane.pb'))
    with jax.profiler.trace(tmp_path):
        pass
