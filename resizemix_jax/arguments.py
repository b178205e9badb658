"""The argument of a config file, `key=value,...`, and values out of a list."""

from resizemix_jax.errors import nearest


def parse(arg, **defaults):
    """'a=1,b=x' -> a dict over `defaults`, each value of its default's type.

    Raises:
        ValueError: no key=value, an unknown key (lists the known), or a value of another type.
    """
    values = dict(defaults)
    for item in filter(None, (arg or '').split(',')):
        key, equals, text = item.partition('=')
        if not equals or key not in defaults:
            raise ValueError(
                f'{item!r} in the config argument: write key=value with a key of {", ".join(defaults)}'
                f'{nearest(key, defaults) if key not in defaults else ""}'
            )
        try:
            values[key] = type(defaults[key])(text)
        except ValueError as error:
            kind = type(defaults[key]).__name__
            raise ValueError(f'{key}={text!r} in the config argument must be of type {kind}') from error
    return values


def choose(key, value, known):
    """`value`, or ValueError with the known ones."""
    if value not in known:
        raise ValueError(f'{key}={value!r} must be one of: {", ".join(known)}{nearest(value, known)}')
    return value
