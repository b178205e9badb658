"""The folder is the registry: `find('mixing', 'cutmix')` is the function `cutmix` of mixing/cutmix.py.

A family is a folder of the package; its members are its files whose names do not begin with `_`.
"""

import functools
import importlib
import inspect
from importlib import resources

PACKAGE = 'resizemix_jax'


@functools.cache
def names(family):
    """The members of a family, sorted: its files, without helpers (`_name.py`)."""
    files = [item.name for item in resources.files(f'{PACKAGE}.{family}').iterdir()]
    return tuple(sorted(f.removesuffix('.py') for f in files if f.endswith('.py') and not f.startswith('_')))


def find(family, name):
    """The function `name` of `resizemix_jax/<family>/<name>.py`.

    Raises:
        ValueError: no such member; the message lists the family.
    """
    known = names(family)
    if name not in known:
        raise ValueError(f'{family}: there is no {name!r}; there are: {", ".join(known)}')
    return getattr(importlib.import_module(f'{PACKAGE}.{family}.{name}'), name)


def keywords(function):
    """The keyword-only arguments of a member: name -> default.

    Raises:
        ValueError: one of them has no default, so a config could not hold it.
    """
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    required = [p.name for p in parameters if p.default is p.empty]
    if required:
        raise ValueError(f'{function.__name__}: the keyword {required[0]} needs a default value')
    return {p.name: p.default for p in parameters}


def bind(family, name, keywords):
    """The function `name` of a family with its keywords, those of a config, bound.

    Raises:
        ValueError: as `find` and `check_keywords`.
    """
    function, keywords = find(family, name), dict(keywords)
    check_keywords(function, keywords)
    return functools.partial(function, **keywords)


def check_keywords(function, keywords):
    """Raises ValueError if `function` does not take these keywords by name, and lists those it takes."""
    takes = tuple(p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY)
    unknown = sorted(set(keywords) - set(takes))
    if unknown:
        raise ValueError(
            f'{function.__name__} does not take {", ".join(unknown)}; '
            f'it takes: {", ".join(takes) or "no keywords"}'
        )
