"""Random keys: root(seed) -> stream(name) -> step -> device. Keys are derived where needed, never stored.

A key is named by its purpose, so a new stream never changes the numbers of another, and step 1000
of a resumed run draws what step 1000 of an unbroken run draws. The last fold, over devices, is
`parallel.device_key`.
"""

import zlib

import jax
from jax import Array


def root(seed: int) -> Array:
    """The key of a run: a typed JAX key, shape []."""
    return jax.random.key(seed)


def stream(key: Array, name: str) -> Array:
    """The sub-key of `key` for the purpose `name` (a str)."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def at_step(key: Array, step: int | Array) -> Array:
    """The sub-key of `key` for step number `step` (int, or int32 array of shape [])."""
    return jax.random.fold_in(key, step)
