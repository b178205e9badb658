"""The argument of a config file."""

import pytest

from resizemix_jax.arguments import choose, parse


def test_values_have_the_type_of_their_default():
    assert parse('b=x,a=3', a=0, b='', c=1) == {'a': 3, 'b': 'x', 'c': 1}
    assert parse('', a=0) == parse(None, a=0) == {'a': 0}


@pytest.mark.parametrize(
    ('arg', 'message'),
    [
        ('c=1', "'c=1' in the config argument: write key=value with a key of a, b"),
        ('a', "'a' in the config argument: write key=value"),
        ('a=x', "a='x' in the config argument must be of type int"),
    ],
)
def test_bad_arguments_are_refused(arg, message):
    with pytest.raises(ValueError, match=message):
        parse(arg, a=0, b='')


def test_choose():
    assert choose('row', 'a', ('a', 'b')) == 'a'
    with pytest.raises(ValueError, match="row='c' must be one of: a, b"):
        choose('row', 'c', ('a', 'b'))
