"""Statistics of differences in pairs: of two methods, seed by seed.

The seeds are taken as a sample of all seeds, and the differences d_1..d_n as normal around their mean:

* interval: mean -/+ t(n - 1, (1 + level) / 2) s / sqrt(n), with the sample standard deviation s.
* power: the probability that the two-sided t-test of level 0.05 rejects 'no difference' if the true mean is
  delta and the true standard deviation s: 1 - F(t) + F(-t), F of the noncentral t with n - 1 degrees of
  freedom and noncentrality delta sqrt(n) / s.
"""

import itertools
import math
import statistics

LEVEL = 0.95
POWER = 0.8
MOST = 20  # pairs of a permutation test: 2 ** 20 signs take seconds


def interval(values, level=LEVEL):
    """(low, high) of the mean of `values`, at least two; see the module."""
    from scipy import stats  # a second to import, here and below

    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return float(mean - half), float(mean + half)


def t_test_p(values):
    """The two-sided p value of the t-test that the mean is 0; None if all values are equal."""
    from scipy import stats

    return float(stats.ttest_1samp(values, 0).pvalue) if statistics.stdev(values) > 1e-9 else None


def permutation_p(values):
    """The exact two-sided p value of the mean, if either sign of every value is equally likely."""
    total = abs(math.fsum(values))
    signs = itertools.product((-1, 1), repeat=len(values))
    sums = (abs(math.fsum(s * v for s, v in zip(sign, values, strict=True))) for sign in signs)
    return sum(other >= total * (1 - 1e-9) for other in sums) / 2 ** len(values)


def power(spread, count, delta):
    """The power of `count` pairs for a true difference `delta`, where the differences have `spread`."""
    from scipy import stats

    freedom, t = count - 1, stats.t.ppf((1 + LEVEL) / 2, count - 1)
    shifted = stats.nct(freedom, abs(delta) * math.sqrt(count) / spread)
    other_side = float(shifted.cdf(-t))  # scipy gives NaN where it is next to nothing
    return float(shifted.sf(t)) + (0.0 if math.isnan(other_side) else other_side)


def detectable(spread, count):
    """The least true difference that `count` pairs show with the probability POWER."""
    from scipy import optimize

    high = spread / math.sqrt(count)
    while power(spread, count, high) < POWER:
        high *= 2
    return optimize.brentq(lambda delta: power(spread, count, delta) - POWER, high / 2, high)


def seeds_needed(spread, delta):
    """The least number of pairs that show a true difference `delta` with the probability POWER, >= 2."""
    few, many = 1, 2  # the number is in (few, many]
    while power(spread, many, delta) < POWER:
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if power(spread, middle, delta) >= POWER else (middle, many)
    return many
