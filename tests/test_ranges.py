"""Ranges of arguments."""

import functools
import math

import jax
import numpy as np
import pytest

from resizemix_jax.ranges import (
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Choice,
    Flag,
    Interval,
    Number,
    Several,
    Text,
    Whole,
)

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ('allowed', 'values'),
    [
        (POSITIVE, (1, 1e-30, 1e30, np.float32(2), np.int64(3))),
        (NOT_NEGATIVE, (0, 0.0)),
        (SHARE, (0, 1, 0.5)),
        (Number(0, 1, '[)'), (0, 0.999)),
        (Number(), (-1e38, 0, 1e38)),
        (Whole(2, 9), (2, 9, np.int32(3))),
        (Whole(1), (1, 2**31 - 1)),
        (Choice('a', 'b'), ('a', 'b')),
        (Flag(), (True, False)),
        (Text(), ('', 'ü /x')),
        (Several(Whole(1)), ((), (1, 2), [3])),
        (Several(Whole(1), 2), ((1, 2), [3, 4])),
        (Interval(), ((0.1, 0.8), (1, 1), [0.5, 0.5])),
    ],
)
def test_what_is_in_a_range(allowed, values):
    for value in values:
        allowed.check(x=value)


@pytest.mark.parametrize(
    ('allowed', 'value', 'message'),
    [
        (POSITIVE, 0, 'x=0 must be > 0'),
        (POSITIVE, INF, 'x=inf must be a finite number > 0'),
        (POSITIVE, 1e39, r'x=1e\+39 must be a finite number > 0'),  # infinite in float32
        (POSITIVE, 10**23, 'must be a finite number > 0'),  # an int that JAX cannot take
        (POSITIVE, True, 'x=True must be a finite number'),
        (POSITIVE, None, 'x=None must be a finite number'),
        (POSITIVE, (1, 2), r'x=\(1, 2\) must be a finite number'),
        (NOT_NEGATIVE, NAN, 'x=nan must be a finite number >= 0'),
        (SHARE, 1.5, r'x=1.5 must be in \[0, 1\]'),
        (SHARE, 'a', r"x='a' must be a finite number in \[0, 1\]"),
        (Number(0, 1, '[)'), 1, r'must be in \[0, 1\)'),
        (Number(most=1, ends='[)'), 1, 'must be < 1'),
        (Whole(2, 9), 1, 'x=1 must be from 2 to 9'),
        (Whole(2, 9), 2.5, 'x=2.5 must be a whole number from 2 to 9'),
        (Whole(1), 0, 'x=0 must be >= 1'),
        (Whole(1), 2**31, 'must be from 1 to 2147483647'),
        (Whole(1), 2.0, 'x=2.0 must be a whole number >= 1'),
        (Whole(1, 2**20), 0, 'must be >= 1$'),
        (Whole(1, 2**20), 10**23, 'must be from 1 to 1048576'),
        (Choice('a', 'b'), 'c', "x='c' must be one of: a, b"),
        (Choice('a', 'b'), ['a'], 'must be one of'),
        (Flag(), 1, 'x=1 must be True or False'),
        (Flag(), 'true', 'must be True or False'),
        (Text(), 'a\0b', 'must be text without control characters'),
        (Text(), 3, 'must be text'),
        (Several(Whole(1)), 'ab', 'must be a tuple of values, each a whole number >= 1'),
        (Several(Whole(1), 3), (1, 2), 'must be a tuple of 3 values'),
        (Several(Whole(1)), (1, 0), r'x=\(1, 0\) must be'),
        (Interval(), (0.8, 0.1), r'must be \(low, high\) with 0 < low <= high <= 1'),
        (Interval(), ('a', 'b'), 'with 0 < low'),
        (Interval(), (0.1, NAN), 'with 0 < low'),
        (Whole(1), 'a' * 1000, r"x='a{59}\.\.\. must be"),
    ],
)
def test_what_is_not_is_refused(allowed, value, message):
    with pytest.raises(ValueError, match=message) as error:
        allowed.check(x=value)
    assert str(error.value).startswith('x=')


def test_a_number_that_python_does_not_write_is_described():
    with pytest.raises(ValueError, match='^x=a number of thousands of digits must be one of: a$'):
        Choice('a').check(x=10**5000)


def test_the_group_is_named():
    with pytest.raises(ValueError, match='^schedule_args.lr=0 must be > 0$'):
        POSITIVE.check('schedule_args.', lr=0)


@pytest.mark.parametrize('trace', [jax.jit, jax.grad, jax.vmap])
def test_a_traced_value_is_told_the_remedy(trace):
    argument = np.ones(2, np.float32) if trace is jax.vmap else 0.5

    def function(alpha, wrap):
        (Interval() if wrap else POSITIVE).check(alpha=(alpha, 1.0) if wrap else alpha)
        return alpha

    for wrap in (False, True):
        with pytest.raises(ValueError, match=r"alpha is traced, .* static_argnames=\('alpha',\)"):
            trace(functools.partial(function, wrap=wrap))(argument)
