"""What the command line says of the config: --config=FILE:ARGUMENT, and --config.KEY=VALUE in any number."""

import ast
from typing import NamedTuple

import ml_collections

from resizemix_jax import config as configs
from resizemix_jax.key_checks import check_identity, check_key
from resizemix_jax.key_ranges import check_given
from resizemix_jax.ranges import cut

FLAG, MEMBER = 'config', 'config.'
BOOLEANS = {'true': True, '1': True, 'false': False, '0': False}


class Words(NamedTuple):
    """The command line, sorted.

    Attributes:
        path: of the config file; '' if none was given.
        argument: of its get_config, without members (`config.mixing=gridmix`), which are in `texts`.
        texts: key -> value as text, of the overrides.
        others: the other words.
    """

    path: str
    argument: str
    texts: dict
    others: list


def sort(words):
    """Sorts the words of a command line.

    `--config.key value` is taken as `--config.key=value`; without a value, `--config.key` and
    `--noconfig.key` are true and false.

    Raises:
        ValueError: --config without a file.
    """
    path, argument, texts, others = '', '', {}, []
    words = list(words)
    while words:
        word = words.pop(0)
        name, equals, value = word.lstrip('-').partition('=')
        key = name.removeprefix('no').removeprefix(MEMBER)
        if not word.startswith('-') or not (name == FLAG or key != name.removeprefix('no')):
            others.append(word)
            continue
        if not equals and words and not words[0].startswith('-') and not name.startswith('no'):
            value, equals = words.pop(0), '='
        if name == FLAG:
            path, _, argument = value.partition(':')
            if not path:
                raise ValueError('--config needs a file, e.g. --config=configs/quickstart.py')
        else:
            texts.pop(key, None)
            texts[key] = value if equals else str(not name.startswith('no'))
    items = argument.split(',')
    members = dict(item[len(MEMBER) :].split('=', 1) for item in items if _is_member(item))
    argument = ','.join(item for item in items if not _is_member(item))
    return Words(path, argument, members | texts, others)


def apply(config, texts):
    """Applies overrides to a completed config, in place: names of members first, with their defaults.

    Args:
        config: ConfigDict.
        texts: key -> value as text; it gets the type of the value that it replaces.

    Returns:
        key -> value.

    Raises:
        ValueError: an unknown key or member, or a value of another type or out of its range.
    """
    check_identity(texts)
    names = {key: text for key, text in texts.items() if key in configs.NAME_KEYS}
    configs.override(config, names)
    values = {}
    for key, text in texts.items():
        if key not in names:
            check_key(config, key)
            values[key] = _typed(key, text, _at(config, key))
    check_given(values)
    configs.override(config, values)
    return names | values


def _is_member(item):
    key, equals, _ = item.removeprefix(MEMBER).partition('=')
    return item.startswith(MEMBER) and equals and key in configs.NAME_KEYS


def _at(config, key):
    for part in key.split('.'):
        config = config[part]
    return config


def _typed(key, text, current):
    """`text` as the type of `current`; a word's keyword may be a number or tuple, a number's a tuple."""
    try:
        if isinstance(current, bool):
            return BOOLEANS[text.lower()]
        if isinstance(current, int | float):
            return type(current)(text)
    except (KeyError, ValueError):
        pass
    literal = _literal(text)
    if isinstance(current, tuple):
        values = literal if isinstance(literal, tuple | list) else (literal,)
        return tuple(values)
    if isinstance(current, ml_collections.ConfigDict) and _is_arguments(literal):
        return literal
    free = '.' in key and not isinstance(current, bool) and not isinstance(literal, bool | dict)
    if isinstance(current, str):
        return literal if free and not isinstance(literal, str) else text
    if free and isinstance(literal, tuple):
        return literal
    current = current.to_dict() if isinstance(current, ml_collections.ConfigDict) else current
    kind = type(current).__name__
    raise ValueError(f'--config.{key}={cut(text)}: it must be of type {kind}, like {current!r}')


def _is_arguments(literal):
    return isinstance(literal, dict) and all(isinstance(k, str) and k.isidentifier() for k in literal)


def _literal(text):
    """The Python literal that `text` is, else `text`."""
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # what literal_eval may raise
        return text
