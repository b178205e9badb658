"""Keys as the user types them: whether a config has them, and what to say if not."""

import difflib
from collections.abc import Mapping

import ml_collections

from resizemix_jax.migrations import OLD_KEYS

# Keys that name the run. They are chosen in the config's argument, since other values depend on them.
IDENTITY_KEYS = ('format', 'table', 'row', 'column', 'recipe', 'scale')


def check_key(config, key):
    """Raises ValueError if a config has no key such as 'seed' or 'mixing_args.tau'; names similar ones."""
    if key in OLD_KEYS:
        raise ValueError(f'config.{key} is now config.{OLD_KEYS[key]}')
    group_name, node = '', config
    for part in key.split('.'):
        if not isinstance(node, Mapping | ml_collections.ConfigDict):
            raise ValueError(f'config.{key}: {group_name} is a value and has no keys')
        if part not in node:
            raise ValueError(f'config.{key}: {_absent(part, group_name, sorted(node.keys()))}')
        node, group_name = node[part], f'{group_name}.{part}'.lstrip('.')


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


def _absent(part, group_name, known):
    """The sentence for a key that is not there, with the nearest ones or all of its group."""
    near = difflib.get_close_matches(part, known, n=3)
    words = f'{group_name or "the config"} has no key {part!r}'
    if near:
        return f'{words}; did you mean {" or ".join(near)}?'
    if group_name:
        return f'{words}; it has: {", ".join(known) or "none"}'
    return f'{words}; resizemix_jax/config.py lists all keys'
