"""The folder is the registry: `find('mixing', 'cutmix')` is the function `cutmix` of mixing/cutmix.py.

A family is a folder of the package. Its members are its files whose names do not begin with `_`; each defines
a function of its own name. A name with dots is a module outside the package, under the same rule:
`my_code.gridmix` is the function `gridmix` of my_code/gridmix.py.

    >>> find('schedules', 'cosine').__name__
    'cosine'
    >>> keywords(find('mixing', 'mixup'))
    {'alpha': 1.0, 'per': 'batch'}

Keyword-only arguments of the function are the keys of the config's `<key>_args`, except those that the file
declares in NEEDS, a tuple of names: the trainer provides them.
"""

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any

from resizemix_jax.errors import nearest, not_installed

PACKAGE = 'resizemix_jax'


@functools.cache
def names(family: str) -> tuple[str, ...]:
    """The members of a family, sorted; works from a zip file, too."""
    files = [item.name for item in resources.files(f'{PACKAGE}.{family}').iterdir()]
    return tuple(sorted(f.removesuffix('.py') for f in files if f.endswith('.py') and not f.startswith('_')))


def find(family: str, name: str) -> Callable[..., Any]:
    """The function `name` of `resizemix_jax/<family>/<name>.py`, or of a module outside the package.

    Raises:
        ValueError: no such member (the message lists the family), or its file does not define it.
    """
    known, path = names(family), name
    if not _is_module(name):
        if name not in known:
            raise ValueError(
                f'{family}: there is no {name!r}; there are: {", ".join(known)}{nearest(name, known)}'
            )
        path = f'{PACKAGE}.{family}.{name}'
    try:
        loaded = importlib.import_module(path)
    except Exception as error:  # of the user's own module
        reason = f'{type(error).__name__}: {error}'
        if isinstance(error, ModuleNotFoundError):
            reason = not_installed(error) or str(error)
        raise ValueError(f'{family}: {path!r} cannot be imported: {reason}') from error
    function = getattr(loaded, path.rpartition('.')[2], None)
    if not callable(function):
        raise ValueError(f'{family}: the module {path} must define a function {path.rpartition(".")[2]}')
    return function


def module(family: str, name: str) -> Any:
    """The module of a member, for the constants that it declares; errors as `find`."""
    return sys.modules[find(family, name).__module__]


def needs(function: Callable[..., Any]) -> tuple[str, ...]:
    """What a member wants from the trainer instead of the config: NEEDS of its file, a tuple of names.

    Raises:
        ValueError: it names something that is no keyword-only argument of the function.
    """
    declared = tuple(getattr(sys.modules[function.__module__], 'NEEDS', ()))
    missing = sorted(set(declared) - set(_keyword_only(function)))
    if missing:
        raise ValueError(
            f'{function.__name__}: NEEDS names {", ".join(missing)}, and the function has no such keyword'
        )
    return declared


def keywords(function: Callable[..., Any]) -> dict[str, Any]:
    """The keywords of a member that a config sets: name -> default.

    Raises:
        ValueError: one of them has no default.
    """
    provided = needs(function)
    own = {name: p.default for name, p in _keyword_only(function).items() if name not in provided}
    required = sorted(name for name, default in own.items() if default is inspect.Parameter.empty)
    if required:
        raise ValueError(f'{function.__name__}: the keyword {required[0]} needs a default')
    return own


def bind(family: str, name: str, values: Mapping[str, Any], **provided: Any) -> Callable[..., Any]:
    """The function `name` of a family with its keywords bound: those of a config, and what it needs.

    Args:
        family, name: see `find`.
        values: keyword -> value, of a config.
        **provided: what the caller can provide, by name; a member gets those that it needs.

    Raises:
        ValueError: as `find` and `check_keywords`, or the member needs something that is not provided.
    """
    function, values = find(family, name), dict(values)
    check_keywords(function, values)
    wanted = needs(function)
    unknown = sorted(set(wanted) - set(provided))
    if unknown:
        raise ValueError(
            f'{name} needs {", ".join(unknown)}, which is not provided here; provided to {family}: '
            f'{", ".join(sorted(provided)) or "nothing"}'
        )
    return functools.partial(function, **values, **{need: provided[need] for need in wanted})


def check_keywords(function: Callable[..., Any], values: Iterable[str]) -> None:
    """Raises ValueError if `function` does not take these keywords from a config; lists those it takes."""
    takes = tuple(keywords(function))
    unknown = sorted(set(values) - set(takes))
    if unknown:
        raise ValueError(
            f'{function.__name__} does not take {", ".join(unknown)}; '
            f'it takes: {", ".join(takes) or "no keywords"}'
        )


def _is_module(name):
    """Whether a name is that of a module outside the package, e.g. my_code.gridmix."""
    return '.' in name and all(part.isidentifier() for part in name.split('.'))


def _keyword_only(function):
    # Of the function itself: a decorator may add keywords that a config does not set.
    parameters = inspect.signature(inspect.unwrap(function)).parameters
    return {name: p for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
