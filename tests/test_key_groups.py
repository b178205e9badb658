"""What a change of a key means."""

from resizemix_jax import config as configs
from resizemix_jax import key_groups
from resizemix_jax.key_checks import IDENTITY_KEYS


def test_differences_and_what_they_mean():
    old = configs.stored(configs.complete(configs.base()))
    new = configs.stored(configs.override(configs.complete(configs.base()), {
        'mixing': 'mixup', 'batch_size': 32, 'log_every_steps': 7, 'generate_args.k': 3, 'freeze': ('a/*',),
    }))  # fmt: skip
    found = key_groups.differences(old, new)
    assert found == [
        ('batch_size', 256, 32), ('freeze', [], ['a/*']), ('mixing', 'none', 'mixup'),
        ('mixing_args.alpha', 'absent', 1.0), ('mixing_args.per', 'absent', 'batch'),
    ]  # fmt: skip
    assert [key for key, _, _ in key_groups.differences(old, new, ignore=('mixing', 'mixing_args'))] == [
        'batch_size', 'freeze', 'generate_args.k', 'log_every_steps',
    ]  # fmt: skip
    assert [key_groups.group(key) for key, _, _ in found] == ['shifts', *['experiment'] * 4]


def test_groups_name_keys_that_exist():
    base = configs.base()
    free = *key_groups.LOGGING_KEYS, *key_groups.DEVICE_KEYS, *key_groups.GENERATE_KEYS
    for key in (*free, *key_groups.SHIFTING_KEYS, *key_groups.METHOD_KEYS, *IDENTITY_KEYS):
        assert key in base
    assert {key_groups.group(key) for key in free} == {'free'}
    assert not set(free) & set(key_groups.SHIFTING_KEYS)
    assert {key_groups.group(key) for key in key_groups.METHOD_KEYS} == {'experiment'}
