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
        ('Batch_Size', 'did you mean batch_size'),
        ('batch-size', 'has no key .batch-size.; did you mean batch_size'),
        ('batchsize', 'did you mean batch_size'),
        ('lr', 'has no key .lr.; did you mean schedule_args.lr'),
        ('schedule_args.lrr', "schedule='cosine' has no argument 'lrr'; it has: .*; did you mean lr"),
        ('schedule_args.zzzz', "no argument 'zzzz'; it has: final_lr, lr, warmup_epochs, warmup_lr$"),
        ('schedule_args.lr.x', "no argument 'lr.x'"),
        ('mixing_args.tau', "mixing='none' has no argument 'tau', nor any other"),
        ('saliency_args.target', "saliency_args has no argument 'target', nor any other"),
        ('generate_args.alhpa', "generate_args has no argument 'alhpa'; it has: alpha, .*did you mean alpha"),
        ('epochs.x', 'epochs is a value and has no keys'),
        ('optimizer.lr', r'config\.optimizer\.lr is now config\.schedule_args\.lr'),
        ('optimizer.nesterov', r'is now config\.optimizer_args\.nesterov'),
    ],
)
def test_an_unknown_key_is_told_its_neighbours(key, message):
    with pytest.raises(ValueError, match=message) as error:
        check_key(configs.complete(configs.base()), key)
    assert '\\' not in str(error.value) and '\n' not in str(error.value)


@pytest.mark.parametrize('key', IDENTITY_KEYS)
def test_what_names_a_run_is_not_overridden(key):
    check_identity({'seed': 1, 'schedule_args.lr': 0.2})
    with pytest.raises(ValueError, match=f'--config.{key} cannot be overridden'):
        check_identity({key: 'x'})


def test_the_remedy_is_the_argument():
    with pytest.raises(ValueError, match='--config=FILE:recipe=released'):
        check_identity({'recipe': 'released'})
