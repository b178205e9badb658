"""The devices of a step; no file outside `devices/` says pmap or sharding.

The state lives once on every device, unstacked; the batch is split along its first axis; the step runs
as `data_parallel` wraps it, sees [B / devices, ...], and calls `device_key`, `mean` and `total` itself.

pmap is in maintenance in JAX. Its replacement is one function here: `data_parallel` as
jit(shard_map(fn, mesh, (P(), P(AXIS), P()), P(), check_vma=False)), with `shard` keeping the batch flat;
tests/devices/test_parallel.py holds both to the same numbers.
"""

import contextlib
import functools
import os

import jax
import numpy as np
from jax import lax
from jax.experimental import multihost_utils, topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from resizemix_jax.errors import ConfigError

AXIS = 'devices'
WHOLE, SPLIT = None, 0  # the arguments of a step: the same on all devices, or split over them


def choose_devices(count=0):
    """All devices of all processes for 0, or the first `count` of the only process.

    Raises:
        ValueError: there are fewer, or there are several processes, which use all they have.
        ConfigError: the kind that JAX_PLATFORMS asks for is not there.
    """
    _start()
    devices = jax.devices()
    if count and jax.process_count() > 1:
        raise ValueError(f'num_devices={count} must be 0 (all) when several processes train together')
    if not 0 <= count <= len(devices):
        raise ValueError(
            f'num_devices={count} must be between 0 (all) and the {len(devices)} devices of this machine. '
            f'On CPU, make more with XLA_FLAGS=--xla_force_host_platform_device_count={count}'
        )
    return tuple(devices[: count or len(devices)])


@functools.cache
def _start():
    """Starts JAX's devices; JAX itself goes on with the CPU where the first of JAX_PLATFORMS is not there."""
    asked, found, reason = jax.config.jax_platforms or '', '', ''
    try:
        found = jax.default_backend()
    except (RuntimeError, AssertionError) as error:
        reason = f' ({error})' if str(error) else ''
    if not found or (found == 'cpu' and asked.partition(',')[0] not in ('', 'cpu')):
        raise ConfigError(
            f'JAX_PLATFORMS={asked}: JAX can use no such device here{reason}. Are its driver and the JAX '
            'package for it installed, and does no other process use it? JAX_PLATFORMS=cpu trains on the CPU'
        )


@contextlib.contextmanager
def standard_settings():
    """A context with JAX's default settings, where its user has made them strict for its own code."""
    with (
        jax.numpy_rank_promotion('allow'),
        jax.numpy_dtype_promotion('standard'),
        jax.transfer_guard('allow'),
    ):
        yield


def target_devices(target):
    """The devices of a `targets.Target`, to compile for; they need not be present, and cannot run anything.

    Raises:
        JaxRuntimeError: the topology does not exist.
        RuntimeError, NotImplementedError: its compiler is not installed.
    """
    # Compiling for other devices must not occupy an accelerator of this machine.
    jax.config.update('jax_platforms', 'cpu')
    for name, value in target.environment.items():
        os.environ.setdefault(name, value)
    described = topologies.get_topology_desc(target.topology, target.platform, **target.options)
    return tuple(described.devices)


def memory(device):
    """The bytes that JAX can use on a device of this machine; for a CPU its share of the machine's memory."""
    stats = device.memory_stats() or {}
    machine = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return stats.get('bytes_limit', machine // len(jax.local_devices()))


def one_cpu():
    """One CPU device, as a tuple."""
    return tuple(jax.local_devices(backend='cpu')[:1])


def describe(devices):
    """The hardware in words, e.g. '8 x TPU v5 lite'."""
    return f'{len(devices)} x {devices[0].device_kind}'


def processes():
    """(index, count) of the JAX processes; `processes.py` has what they exchange.

    Raises:
        ConfigError: see `choose_devices`.
    """
    _start()
    return jax.process_index(), jax.process_count()


def sharding(devices):
    """The sharding of the state: whole, on every device."""
    return _over(devices, PartitionSpec())


def place(tree, devices):
    """The tree on each of this process's devices. Arrays that are not placed would make the first step
    compile twice."""
    return jax.device_put(tree, sharding(_here(devices)))


def shard(batch, devices):
    """Splits the first axis of this process's share of a batch: [b, ...] on the host -> [d, b / d, ...] on
    its d devices."""
    here = _here(devices)
    split = jax.tree.map(lambda a: a.reshape(len(here), -1, *a.shape[1:]), batch)
    return jax.device_put(split, _over(here, PartitionSpec(AXIS)))


def to_global(tree):
    """The tree of `place` as arrays of all processes together, as a checkpoint takes it; nothing moves."""
    if jax.process_count() == 1:
        return tree
    return multihost_utils.host_local_array_to_global_array(tree, _all(), PartitionSpec())


def to_local(tree):
    """The inverse of `to_global`: arrays of this process's devices, as the step takes them."""
    if jax.process_count() == 1:
        return tree
    return multihost_utils.global_array_to_host_local_array(tree, _all(), PartitionSpec())


def _here(devices):
    return [d for d in devices if d.process_index == jax.process_index()]


def _all():
    # The devices of a process must be neighbours in it.
    return _mesh(sorted(jax.devices(), key=lambda d: (d.process_index, d.id)))


def _mesh(devices):
    return Mesh(np.array(devices), (AXIS,))


def _over(devices, spec):
    return NamedSharding(_mesh(devices), spec)


def data_parallel(fn, devices, *, arguments=(WHOLE, SPLIT, WHOLE), donate=True):
    """fn(state, batch, key) -> outputs that are equal on all devices, one call for all of them.

    Args:
        fn: must make its outputs equal itself, with `mean`, `total` or `gather`: pmap does not check it.
        devices: to run on.
        arguments: of `fn`, each WHOLE (the same on all devices) or SPLIT (a batch of `shard`).
        donate: give the first argument's memory to the outputs; the caller's copy is gone then.
    """
    return jax.pmap(
        fn,
        axis_name=AXIS,
        in_axes=arguments,
        out_axes=None,
        devices=devices,
        donate_argnums=(0,) if donate else (),
    )


def on_shares(fn, devices):
    """fn(state, batch, value) -> batch, on the share of each device; the batch stays as `shard` has it."""
    arguments = WHOLE, SPLIT, WHOLE
    return jax.pmap(fn, axis_name=AXIS, in_axes=arguments, out_axes=SPLIT, devices=devices)


def on_whole_arrays(fn, devices):
    """fn(state, ...) -> state of arrays that are whole on every device; the state is donated."""
    return jax.jit(fn, donate_argnums=(0,), out_shardings=sharding(_here(devices)))


def lower(step, devices, state, batch, *rest):
    """A `data_parallel` step, lowered for its devices; arguments as shapes, the batch whole: [B, ...]."""
    here = len(_here(devices)) or len(devices)  # devices that are only compiled for are not here
    split = jax.tree.map(
        lambda a: jax.ShapeDtypeStruct((here, a.shape[0] // len(devices), *a.shape[1:]), a.dtype), batch
    )
    return step.lower(state, split, *rest)


class Step:
    """A `data_parallel` function whose second argument is a batch, compiled for every bucket at once.

    Args:
        fn, devices, arguments, donate: see `data_parallel`.
        state: the first argument as shapes.
        batches: the buckets: batches of all devices as shapes, [B, ...].
        *rest: the further arguments as shapes.
    """

    def __init__(self, fn, devices, arguments, state, batches, *rest, donate=True):
        self.batches = batches
        self._shapes = state, rest
        self._fn, self._arguments, self._devices = fn, arguments, devices
        self._function = data_parallel(fn, devices, arguments=arguments, donate=donate)
        self._compiled = {}  # the shapes of a batch, as it lies on the devices -> executable

    def lower(self, batch):
        """The step lowered for one of `batches`; `.compile()` compiles it for its devices."""
        state, rest = self._shapes
        return lower(self._function, self._devices, state, batch, *rest)

    def lower_share(self, batch):
        """What one device computes of the step, lowered for a CPU: its collectives are over that one.

        Raises:
            RuntimeError: JAX_PLATFORMS leaves out the CPU.
        """
        state, rest = self._shapes
        share = jax.tree.map(
            lambda a: jax.ShapeDtypeStruct((1, a.shape[0] // len(self._devices), *a.shape[1:]), a.dtype),
            batch,
        )
        alone = jax.vmap(self._fn, in_axes=self._arguments, out_axes=None, axis_name=AXIS, axis_size=1)
        with jax.default_device(one_cpu()[0]):
            return jax.jit(alone).lower(state, share, *rest)

    def compile(self):
        """Compiles the step for all buckets, which the first call does otherwise.

        With several processes pmap compiles each bucket at its first batch: an executable takes arrays of all
        processes together, and the steps have those of one.
        """
        if jax.process_count() > 1:
            return
        here = len(_here(self._devices))
        for batch in self.batches:
            split = jax.tree.map(lambda a: (here, a.shape[0] // len(self._devices), *a.shape[1:]), batch)
            shapes = tuple(jax.tree.leaves(split, is_leaf=lambda a: isinstance(a, tuple)))
            self._compiled[shapes] = self.lower(batch).compile()

    def __call__(self, state, batch, *rest):
        if jax.process_count() > 1:
            return self._function(state, batch, *rest)
        if not self._compiled:
            self.compile()
        shapes = tuple(a.shape for a in jax.tree.leaves(batch))
        return self._compiled[shapes](state, batch, *rest)


def device_key(key):
    """Inside the step: this device's own key."""
    return jax.random.fold_in(key, lax.axis_index(AXIS))


def mean(tree):
    """Inside the step: the mean over the devices."""
    return lax.pmean(tree, AXIS)


def total(tree):
    """Inside the step: the sum over the devices."""
    return lax.psum(tree, AXIS)


def gather(tree):
    """Inside the step: arrays [b, ...] of each device -> [B, ...] of all of them, on all of them."""
    return jax.tree.map(lambda a: lax.all_gather(a, AXIS, tiled=True), tree)


def trace(fn, *shapes):
    """Runs a part of the step on shapes alone, as one device would: its checks run, nothing is computed.

    Args:
        fn: may use `device_key`, `mean`, `total` and `gather`.
        shapes: trees of `jax.ShapeDtypeStruct`, of one device.

    Returns:
        The shapes of its outputs, with an axis of length 1 before them.
    """
    one = jax.tree.map(lambda a: jax.ShapeDtypeStruct((1, *a.shape), a.dtype), shapes)
    return jax.eval_shape(jax.vmap(fn, axis_name=AXIS), *one)


def to_host(tree):
    """The tree as NumPy arrays; waits for the devices."""
    return jax.device_get(tree)
