"""Keys as the user types them: whether a config has them, and what to say if not."""

from collections.abc import Mapping

import ml_collections

from resizemix_jax.errors import nearest
from resizemix_jax.migrations import OLD_KEYS

# Keys that name the run. They are chosen in the config's argument, since other values depend on them.
IDENTITY_KEYS = ('format', 'table', 'row', 'column', 'recipe', 'scale')


def check_key(config, key):
    """Raises ValueError if a config has no key such as 'seed' or 'mixing_args.tau'; names similar ones."""
    if key in OLD_KEYS:
        raise ValueError(f'config.{key} is now config.{OLD_KEYS[key]}')
    top, dot, keyword = key.partition('.')
    if top not in config:
        raise ValueError(f'config.{key}: the config has no key {top!r}{_instead(top, config)}')
    if not dot:
        return
    values = config[top]
    if not _is_group(values):
        raise ValueError(f'config.{key}: {top} is a value and has no keys')
    if keyword not in values:
        known = sorted(values.keys())
        has = f'; it has: {", ".join(known)}' if known else ', nor any other'
        owner = _owner(top, config)
        raise ValueError(f'config.{key}: {owner} has no argument {keyword!r}{has}{nearest(keyword, known)}')


def member(key, name):
    """The member that the value of a key names: a dataset's source, after a colon, is no part of it."""
    return name.partition(':')[0] if key == 'dataset' and isinstance(name, str) else name


def check_identity(overrides):
    """Raises ValueError if the command line overrides a key that only names the run."""
    remedies = {
        'format': 'leave it out',
        'table': 'name the file of another table',
        'column': 'choose the column in the argument, e.g. --config=FILE:model=NAME',
    }
    for key in IDENTITY_KEYS:
        if key in overrides:
            remedy = remedies.get(key, f'write it into the argument: --config=FILE:{key}={overrides[key]}')
            raise ValueError(
                f'--config.{key} cannot be overridden, since other values depend on it; {remedy}'
            )


def _is_group(value):
    return isinstance(value, Mapping | ml_collections.ConfigDict)


def _owner(group, config):
    """Whose arguments a group holds: the member that the config names, or the group itself."""
    key = group.removesuffix('_args')
    return f'{key}={config[key]!r}' if config.get(key) else group


def _instead(word, config):
    """What to say instead of a key that the config lacks: the nearest, also among the groups' arguments."""
    groups = {key: value for key, value in config.items() if _is_group(value)}
    arguments = [f'{group}.{word}' for group, values in groups.items() if word in values]
    if arguments:
        return f'; did you mean {" or ".join(arguments)}?'
    return nearest(word, config) or '; resizemix_jax/config.py lists all keys'
