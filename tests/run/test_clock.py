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
    assert counted.total() == 50.0 + 13.0


def test_without_a_peak_nothing_is_said_of_utilisation(seconds):
    counted = clock.Clock(before=0.0)
    counted.tick(flops=100.0)
    assert set(counted.rates(1)) == {'images_per_second', 'data_wait_share'}
