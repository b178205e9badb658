"""The folder is the registry: `find('mixing', 'cutmix')` is the function `cutmix` of mixing/cutmix.py."""

import functools
import importlib
import inspect
import pathlib
import re

_ROOT = pathlib.Path(__file__).parent


def names(family):
    """The members of a family: the files of its folder that define a function of their own name."""
    files = sorted((_ROOT / family).glob('*.py'))
    return tuple(f.stem for f in files if re.search(rf'^def {f.stem}\(', f.read_text('utf-8'), re.MULTILINE))


def find(family, name):
    """The function `name` of `resizemix_jax/<family>/<name>.py`.

    Raises:
        ValueError: no such file; the message lists the family.
    """
    known = names(family)
    if name not in known:
        raise ValueError(f'{family}: there is no {name!r}; there are: {", ".join(known)}')
    return getattr(importlib.import_module(f'resizemix_jax.{family}.{name}'), name)


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
