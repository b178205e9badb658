"""The ranges of the config's own keys."""

import math

import ml_collections
import pytest

from resizemix_jax import build, key_ranges, ranges
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError
from resizemix_jax.tasks import classify
from tests import tiny

ALL = key_ranges.RANGES | classify.RANGES
WRONG = {
    ranges.Whole: (-3, 10**23, 1.5, math.nan, math.inf, 'x', '', None, (1, 2), True),
    ranges.Number: (-3.0, 1e300, math.nan, math.inf, 'x', '', None, (1.0, 2.0)),  # a config makes True 1.0
    ranges.Choice: ('x', '', 3, None, ('train',)),
    ranges.Flag: ('x', '', 3, None, ()),
    ranges.Text: (3, None, ('x',), 'a\0'),
    ranges.Several: ('x', 3, None, (3,), (None,)),
}


def test_every_key_has_a_range_and_the_defaults_are_in_them():
    base = configs.complete(configs.base())
    groups = {key for key, value in base.items() if isinstance(value, ml_collections.ConfigDict)}
    assert set(base) - groups == set(ALL)
    for key, allowed in ALL.items():
        allowed.check(**{key: base[key]})


@pytest.mark.parametrize('key', sorted(set(ALL) - {'format'}))
def test_what_is_out_of_a_key_s_range_is_told_when_the_config_is_resolved(key):
    for value in WRONG[type(ALL[key])]:
        config = tiny.config()
        with config.unlocked(), config.ignore_type():
            config[key] = value
        with pytest.raises(ConfigError, match=f'^{key}=.* must be '):
            build.plan(config)


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('seed', 2**63, 'seed=9223372036854775808 must be from 0 to 9223372036854775807'),
        ('steps', 2**31, 'steps=2147483648 must be from 0 to 2147483647'),
        ('epochs', 10**9, r'epochs=1000000000 are 4000000000 steps; at most 2147483647 are possible'),
        ('batch_size', 2**63, 'batch_size=.* must be from 1 to 1048576'),
        ('eval_batch_size', 10**9, 'eval_batch_size=1000000000 must be from 1 to 1048576'),
        ('workers', -7, 'workers=-7 must be >= -1'),
        ('workers', 10**9, 'workers=1000000000 must be from -1 to 1024'),
        ('saliency_mode', 'x', "saliency_mode='x' must be one of: train, eval"),
        ('saliency_layer', -1, 'saliency_layer=-1 must be >= 0'),
        ('batch_augment', 65, 'batch_augment=65 must be from 1 to 64'),
    ],
)
def test_examples(key, value, message):
    with pytest.raises(ConfigError, match=message):
        build.plan(tiny.config(**{key: value}))


def test_a_key_that_is_missing_is_named():
    config = tiny.config()
    with config.unlocked():
        del config.max_to_keep
    with pytest.raises(ConfigError, match="the config has no key 'max_to_keep'; begin with"):
        build.plan(config)
