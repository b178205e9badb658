import time

import pytest

from resizemix_jax.run import clock


@pytest.fixture
def seconds(monkeypatch):
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(time, 'perf_counter', lambda: now[0])
    return now


def test_rates_are_of_training_alone(seconds):
    counted = clock.Clock(before=50.0, peak=400.0)
    with counted.waiting():
        seconds[0] += 1.0
    for _ in range(8):
        counted.tick(flops=100.0)
    with counted.pause():
        seconds[0] += 7.0
    seconds[0] += 3.0
    assert counted.rates(16) == {
        'images_per_second': 8 * 16 / 4,
        'data_wait_share': 0.25,
        'model_flops_utilization': 8 * 100 / 4 / 400,
    }
    seconds[0] += 2.0
    assert counted.rates(16)['images_per_second'] == 0.0  # a new interval
    assert counted.totals() == {'seconds': 50.0 + 13.0, 'compile_seconds': 0.0}


def test_compilation_is_of_all_sessions_and_not_of_the_interval(seconds):
    counted = clock.Clock(before=50.0, compiled_before=20.0)
    with counted.pause(), counted.compiling():
        seconds[0] += 5.0
    with counted.compiling():
        seconds[0] += 2.0
    counted.tick()
    seconds[0] += 1.0
    assert counted.rates(8)['images_per_second'] == 8.0
    assert counted.totals() == {'seconds': 58.0, 'compile_seconds': 27.0}


def test_the_first_call_with_new_shapes_is_compilation(seconds):
    counted = clock.Clock(before=0.0)

    def step(state, batch):
        seconds[0] += 3.0
        return state + len(batch)

    timed = counted.first_calls(step, len)
    assert [timed(1, batch) for batch in ('ab', 'ab', 'abc', 'ab')] == [3, 3, 4, 3]
    assert counted.totals() == {'seconds': 12.0, 'compile_seconds': 6.0}


def test_the_time_left_is_of_the_steps_and_evaluations_to_come(seconds):
    counted = clock.Clock(before=50.0)
    assert counted.left(1000, 3) == ''  # continued where an evaluation is due: no step was taken yet
    for _ in range(4):
        counted.tick()
    seconds[0] += 8.0
    assert counted.left(100, 3) == '3.33 min left, plus 3 evaluations'
    assert counted.left(0, 1) == '0 s left, plus 1 evaluation'
    counted.rates(16)
    with counted.evaluating():
        with counted.compiling():
            seconds[0] += 1000.0
        seconds[0] += 30.0
    assert counted.left(100, 3) == '4.83 min left'
    for _ in range(4):  # slower steps: the mean is 3 s
        counted.tick()
    seconds[0] += 16.0
    assert counted.left(3600, 0) == '3 h left' and counted.left(0, 0) == '0 s left'
    assert counted.rates(16)['images_per_second'] == 4.0 and counted.left(3600, 0) == '3 h left'


def test_durations_have_a_unit_of_their_size():
    assert [clock.duration(s) for s in (0.0, 0.025, 119, 120, 7199, 7200, 864_000)] == [
        '0 s', '25 ms', '119 s', '2 min', '120 min', '2 h', '240 h',
    ]  # fmt: skip


@pytest.mark.slow
def test_without_a_peak_nothing_is_said_of_utilisation(seconds):
    counted = clock.Clock(before=0.0)
    counted.tick(flops=100.0)
    assert set(counted.rates(1)) == {'images_per_second', 'data_wait_share'}
