"""Ranges of arguments: a value is checked in one line and refused in one sentence.

    >>> POSITIVE.check(alpha=0)
    Traceback (most recent call last):
    ValueError: alpha=0 must be > 0
    >>> Whole(2, 9).check(n_labels=2.5)
    Traceback (most recent call last):
    ValueError: n_labels=2.5 must be a whole number from 2 to 9

The config's own keys have theirs in `key_ranges`, the keywords of a member are checked by the member.
"""

import dataclasses
import math
import sys
from collections.abc import Sequence
from numbers import Integral, Real

LARGEST = 3.4028234663852886e38  # of float32
LARGEST_WHOLE = 2**31 - 1  # of int32, which steps, rows and pixels are counted in
SHOWN = 60  # characters of a value in a message


class Range:
    """A set of values. A subclass defines `has` and `rule`."""

    def check(self, group='', /, **values):
        """Raises ValueError for the first value out of the range.

        Args:
            group: put before the names in the message, e.g. 'schedule_args.'.
            **values: name -> value.
        """
        for name, value in values.items():
            if self.has(value):
                continue
            if any(map(_is_traced, value if isinstance(value, tuple | list) else (value,))):
                raise ValueError(
                    f'{group}{name} is traced, and must be a Python value: the compiled code depends on it. '
                    f'Under jax.jit list it in static_argnames=({name!r},), or bind it before with '
                    'functools.partial'
                )
            raise ValueError(f'{group}{name}={shown(value)} must be {self.rule(value)}')

    def has(self, value):
        """Whether `value`, of any type, is in the range."""
        raise NotImplementedError

    def rule(self, value):
        """What `value` violates, in words that follow 'must be'."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Number(Range):
    """Numbers that are finite in float32, from `least` to `most`.

    Attributes:
        least, most: the ends.
        ends: which of them belong to it, as in interval notation: '[]', '[)', '(]' or '()'.
    """

    least: float = -math.inf
    most: float = math.inf
    ends: str = '[]'

    def has(self, value):
        return self._is_number(value) and self._is_within(value)

    def rule(self, value):
        words = [] if self._is_number(value) else ['a finite number']
        if self.least > -math.inf and self.most < math.inf:
            words.append(f'in {self.ends[0]}{self.least}, {self.most}{self.ends[1]}')
        elif self.least > -math.inf:
            words.append(f'{">" if self.ends[0] == "(" else ">="} {self.least}')
        elif self.most < math.inf:
            words.append(f'{"<" if self.ends[1] == ")" else "<="} {self.most}')
        return ' '.join(words)

    def _is_number(self, value):
        # An int that JAX cannot hold is none, though its float would be.
        largest = LARGEST_WHOLE if isinstance(value, Integral) else LARGEST
        return isinstance(value, Real) and not isinstance(value, bool) and abs(value) <= largest

    def _is_within(self, value):
        above = value > self.least if self.ends[0] == '(' else value >= self.least
        return above and (value < self.most if self.ends[1] == ')' else value <= self.most)


@dataclasses.dataclass(frozen=True)
class Whole(Number):
    """Whole numbers from `least` to `most`, by default the largest that int32 holds."""

    most: int = LARGEST_WHOLE

    def rule(self, value):
        words = [] if self._is_number(value) else ['a whole number']
        # A technical limit is said only to those who exceed it.
        if self.most == LARGEST_WHOLE and words or self.most >= 1000 and not words and value < self.least:
            words.append(f'>= {self.least}')
        else:
            words.append(f'from {self.least} to {self.most}')
        return ' '.join(words)

    def _is_number(self, value):
        return isinstance(value, Integral) and not isinstance(value, bool)


class Choice(Range):
    """One of some words."""

    def __init__(self, *words):
        self.words = words

    def has(self, value):
        return isinstance(value, str) and value in self.words

    def rule(self, value):
        return f'one of: {", ".join(self.words)}'


class Text(Range):
    """A str without control characters."""

    def has(self, value):
        return isinstance(value, str) and not any(ord(letter) < 32 for letter in value)

    def rule(self, value):
        return 'text without control characters'


class Flag(Range):
    """True or False."""

    def has(self, value):
        return isinstance(value, bool)

    def rule(self, value):
        return 'True or False'


class Several(Range):
    """A tuple or list of values of one range, of any length or of `length`."""

    def __init__(self, each, length=None):
        self.each, self.length = each, length

    def has(self, value):
        right = isinstance(value, Sequence) and not isinstance(value, str)
        return right and self.length in (None, len(value)) and all(map(self.each.has, value))

    def rule(self, value):
        count = 'a tuple of values' if self.length is None else f'a tuple of {self.length} values'
        return f'{count}, each {self.each.rule(None)}'


class Interval(Several):
    """A pair (low, high) with 0 < low <= high <= 1."""

    def __init__(self):
        super().__init__(Number(0, 1, '(]'), 2)

    def has(self, value):
        return super().has(value) and value[0] <= value[1]

    def rule(self, value):
        return '(low, high) with 0 < low <= high <= 1'


POSITIVE = Number(0, ends='(]')
NOT_NEGATIVE = Number(0)
SHARE = Number(0, 1)


def shown(value):
    """`value` in a message: its repr, cut where it is long."""
    try:
        return cut(repr(value))
    except ValueError:  # an int of more digits than Python writes
        return 'a number of thousands of digits'


def cut(text):
    """`text` on one line of a message, cut where it is long."""
    text = text.replace('\n', ' ')
    return text if len(text) <= SHOWN else f'{text[:SHOWN]}...'


def _is_traced(value):
    # This file imports no JAX, so that the command refuses a wrong key at once.
    jax = sys.modules.get('jax')
    return jax is not None and isinstance(value, jax.core.Tracer)
