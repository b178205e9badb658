import itertools

import numpy as np
import pytest
from scipy import stats

from resizemix_jax.report import paired


@pytest.mark.parametrize('count', [2, 5, 9])
def test_the_permutation_test_against_scipy(count):
    values = np.random.default_rng(count).normal(0.4, 1, count)
    expected = stats.permutation_test(
        (values,), np.mean, permutation_type='samples', n_resamples=np.inf
    ).pvalue
    assert paired.permutation_p(values) == pytest.approx(expected)
    brute = [
        abs(np.dot(s, values)) >= abs(values.sum()) - 1e-12 for s in itertools.product((-1, 1), repeat=count)
    ]
    assert paired.permutation_p(values) == pytest.approx(np.mean(brute))


def test_the_interval_against_a_table_of_t():
    # t(2, 0.975) = 4.303
    low, high = paired.interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=1e-3)


def test_the_t_test_needs_a_spread():
    assert paired.t_test_p([0.2, 0.2, 0.2]) is None
    assert paired.t_test_p([1.0, 2.0, 3.0]) == pytest.approx(0.0742, abs=1e-4)


@pytest.mark.parametrize('count, delta', [(5, 0.5), (10, 1.0), (3, 2.0)])
def test_the_power_is_the_share_of_simulated_tests_that_reject(count, delta):
    rng = np.random.default_rng(0)
    values = rng.normal(delta, 0.8, (20_000, count))
    rejected = np.mean(stats.ttest_1samp(values, 0, axis=1).pvalue < 0.05)
    assert paired.power(0.8, count, delta) == pytest.approx(rejected, abs=0.01)


def test_the_power_of_no_difference_is_the_level_of_the_test():
    assert paired.power(1.0, 6, 0.0) == pytest.approx(0.05)


def test_seeds_and_differences_answer_each_other():
    # Cohen's tables: an effect of 0.5 standard deviations takes 34 pairs, one of 1 takes 10
    assert paired.seeds_needed(1.0, 0.5) == 34
    assert paired.seeds_needed(2.0, 2.0) == 10
    assert paired.power(1.0, 10, paired.detectable(1.0, 10)) == pytest.approx(paired.POWER)
    assert paired.power(1.0, 2, paired.detectable(1.0, 2)) == pytest.approx(paired.POWER)
    assert 0.9 < paired.detectable(1.0, 10) < 1.0
