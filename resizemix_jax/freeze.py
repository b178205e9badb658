"""Frozen parameters: their values and their BatchNorm statistics stay fixed, and they cost no gradient.

A pattern is a glob over the paths of parameters, joined by '/', case-sensitive; `*` matches '/' too. So
'backbone/*' is everything below backbone, '*/bias' every bias.
"""

import contextlib
import fnmatch

import flax.linen as nn
import jax
from flax.traverse_util import flatten_dict, unflatten_dict

# Part of the key of JAX's caches: a function that was traced without fixed statistics is traced again with.
_context = jax.make_user_context(default_value=())


def matches(path, patterns):
    """Whether a path such as 'backbone/stem/kernel' matches one of the patterns."""
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def split(params, patterns):
    """Separates the parameters that are trained from those that are frozen.

    Args:
        params: nested dicts of arrays or shapes.
        patterns: globs; () freezes nothing.

    Returns:
        (trainable, frozen), nested dicts that `merge` joins; with no patterns, `params` itself and {}.

    Raises:
        ValueError: a pattern matches no parameter, or no parameter is left to train.
    """
    if not patterns:
        return params, {}
    flat = flatten_dict(params, sep='/')
    for pattern in patterns:
        if not any(matches(path, (pattern,)) for path in flat):
            raise ValueError(
                f'freeze: {pattern!r} matches no parameter; their paths begin with: '
                f'{", ".join(sorted(params))}; e.g. {min(flat)!r}'
            )
    frozen = {path: leaf for path, leaf in flat.items() if matches(path, patterns)}
    if len(frozen) == len(flat):
        raise ValueError(f'freeze={tuple(patterns)} leaves no parameter to train')
    trainable = {path: leaf for path, leaf in flat.items() if path not in frozen}
    return unflatten_dict(trainable, sep='/'), unflatten_dict(frozen, sep='/')


def merge(trainable, frozen):
    """The parameters that `split` separated."""
    if not frozen:
        return trainable
    return unflatten_dict(flatten_dict(trainable) | flatten_dict(frozen))


@contextlib.contextmanager
def fixed_statistics(patterns):
    """While a network is traced in here, frozen BatchNorms use their running statistics and do not move them.

    A Linen BatchNorm is frozen if all of its parameters are; its path is that within the module on which
    `apply` is called. Everything else, dropout included, behaves as in training. Without patterns this does
    nothing.
    """
    if not patterns:
        yield
        return

    def intercept(call, args, kwargs, context):
        module = context.module
        if context.method_name != '__call__' or not _is_frozen(module, patterns):
            return call(*args, **kwargs)
        # The fields of a module within a network cannot be changed, so a copy is applied to its variables.
        copy = module.clone(parent=None, name=None, use_running_average=True)
        return copy.apply(module.variables, args[0])

    with _context(tuple(patterns)), nn.intercept_methods(intercept):
        yield


def _is_frozen(module, patterns):
    # One without a path is no part of a network: the copy above.
    if not isinstance(module, nn.BatchNorm) or not module.path or module.is_initializing():
        return False
    names = [name for name, used in (('scale', module.use_scale), ('bias', module.use_bias)) if used]
    # One without parameters goes by its statistics' path.
    return all(matches('/'.join((*module.path, name)), patterns) for name in names or ['mean'])
