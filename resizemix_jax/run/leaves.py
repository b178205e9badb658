"""The leaves of a state by name: their checksums, and whether those of a checkpoint are those of a state."""

import logging
import zlib

import jax
import jax.numpy as jnp
import numpy as np

from resizemix_jax.errors import DataError

log = logging.getLogger(__name__)

# Fields whose leaves have to be those of the checkpoint, all of them.
EXACT = ('step', 'params', 'batch_stats')
OPTIONAL = ('opt_state', 'metrics')  # fields that are not needed to look at a network


def content(state):
    """The fields of a state: name -> tree."""
    return {name: getattr(state, name) for name in state.__dataclass_fields__}


def name_of(path):
    """The name of a leaf: its path, joined by '/'; the same of a namedtuple's fields and of a dict's keys."""
    parts = (getattr(p, 'name', getattr(p, 'key', getattr(p, 'idx', None))) for p in path)
    return '/'.join(map(str, parts))


def named(tree):
    """name -> leaf."""
    return {name_of(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def checksums(leaves):
    """name -> type, shape and CRC-32 of the bytes of an array on the host, e.g. 'float32[2] 0a1b2c3d'."""
    return {name: f'{described(leaf)} {_crc(leaf):08x}' for name, leaf in leaves.items()}


def check_tree(recorded, stored):
    """Raises ValueError if the arrays that a checkpoint lists are not those that were saved."""
    for name, text in recorded.items():
        if name not in stored or not text.startswith(f'{described(stored[name])} '):
            raise ValueError(f'its index is not what was saved: {name}')


def check_arrays(recorded, arrays, step):
    """Raises ValueError if arrays on the host are not those that were saved at that step."""
    found = checksums(arrays)
    different = [name for name in found if name in recorded and found[name] != recorded[name]]
    if different:
        raise ValueError(f'{len(different)} of its arrays differ from what was saved: {listed(different)}')
    if int(arrays['step']) != step:
        raise ValueError(f'it is of step {int(arrays["step"])}')


def match(path, stored, content):
    """The names of the leaves to read: those that both the checkpoint at `path` and the state have.

    Raises:
        DataError: a leaf of EXACT is in one of them alone, or a shape differs.
    """
    there, here = named(stored), named(content)
    missing = [name for name in here if name not in there]
    unknown = [name for name in there if name not in here]
    to_look_at = any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in here.values())
    for name in (*here, *unknown):
        ours, theirs = (_described(leaves.get(name)) for leaves in (here, there))
        field = name.partition('/')[0]
        needed = field in EXACT or (to_look_at and field not in OPTIONAL and name in here)
        if ours != theirs and (needed or None not in (ours, theirs)):
            raise DataError(
                f'The checkpoint {path} is of another network: {name} is {theirs or "absent"} there and '
                f'{ours or "absent"} here. Use the config that it was trained with, or another --workdir'
            )
    said = log.debug if to_look_at else log.info
    if missing:
        said('Not in the checkpoint %s, taken from a new state: %s', path, listed(missing))
    if unknown:
        said('In the checkpoint %s and not in the state, left out: %s', path, listed(unknown))
    return [name for name in here if name in there]


def described(leaf):
    """The type and shape of an array, e.g. 'float32[3, 4]'."""
    return f'{jnp.dtype(leaf.dtype).name}{list(leaf.shape)}'


def listed(names, most=8):
    """Names in a sentence, the first ones."""
    return ', '.join(names[:most]) + (f' and {len(names) - most} more' if len(names) > most else '')


def _described(leaf):
    return None if leaf is None else described(leaf)


def _crc(leaf):
    return zlib.crc32(np.ascontiguousarray(leaf).reshape(-1).view(np.uint8))
