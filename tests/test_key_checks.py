"""Keys as the user types them."""

import pytest

from resizemix_jax import config as configs
from resizemix_jax.key_checks import IDENTITY_KEYS, check_identity, check_key


def test_keys_that_exist():
    config = configs.complete(configs.base())
    for key in ('seed', 'schedule_args', 'schedule_args.lr'):
        check_key(config, key)


@pytest.mark.parametrize(
    ('key', 'message'),
    [
        ('epohs', r'config\.epohs: the config has no key .epohs.; did you mean epochs'),
        ('zzzz', 'has no key .zzzz.; resizemix_jax/config.py lists all keys'),
        ('schedule_args.lrr', 'schedule_args has no key .lrr.; did you mean lr'),
        ('schedule_args.zzzz', 'has no key .zzzz.; it has: final_lr, lr, warmup_epochs, warmup_lr'),
        ('mixing_args.tau', 'mixing_args has no key .tau.; it has: none'),
        ('epochs.x', 'epochs is a value and has no keys'),
        ('optimizer.lr', r'config\.optimizer\.lr is now config\.schedule_args\.lr'),
        ('optimizer.nesterov', r'is now config\.optimizer_args\.nesterov'),
    ],
)
def test_an_unknown_key_is_told_its_neighbours(key, message):
    with pytest.raises(ValueError, match=message):
        check_key(configs.complete(configs.base()), key)


@pytest.mark.parametrize('key', IDENTITY_KEYS)
def test_what_names_a_run_is_not_overridden(key):
    check_identity({'seed': 1, 'schedule_args.lr': 0.2})
    with pytest.raises(ValueError, match=f'--config.{key} cannot be overridden'):
        check_identity({key: 'x'})


def test_the_remedy_is_the_argument():
    with pytest.raises(ValueError, match='--config=FILE:recipe=released'):
        check_identity({'recipe': 'released'})
