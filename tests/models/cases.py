"""The smallest networks of every file in models/: what the tests of their contract run over."""

import jax
import pytest

from resizemix_jax import find


def tiny(name):
    """The keywords to test a network with: TINY of its file, or else its defaults."""
    return getattr(find.module('models', name), 'TINY', ({},))


CASES = pytest.mark.parametrize(
    ('name', 'keywords'),
    [pytest.param(name, keywords, id=name if i == 0 else f'{name}{i}')
     for name in find.names('models') for i, keywords in enumerate(tiny(name))],
)  # fmt: skip


def make(name, keywords, num_classes=7, **provided):
    """The module, with what the trainer provides."""
    provided = dict(dtype='float32', batch_axis='', remat=False) | provided
    return find.bind('models', name, keywords, **provided)(num_classes)


def needs(name):
    return find.needs(find.find('models', name))


def streams(model, seed=0):
    """A key for each random stream that the model declares, and for no other."""
    key = jax.random.key(seed)
    return {name: jax.random.fold_in(key, i) for i, name in enumerate(getattr(model, 'streams', ()))}
