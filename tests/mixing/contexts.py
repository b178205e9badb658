"""Checks of a mixing op inside shard_map, and under a mesh with Explicit axes, against the op alone."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

DEVICES = 2
TOLERANCE = 1e-5  # partitioned programs add in another order, and supermix adds up its steps


def mesh_of(kind):
    return jax.make_mesh((DEVICES,), ('batch',), axis_types=(kind,), devices=jax.devices()[:DEVICES])


def check_shard_map(function, images, labels):
    """A jitted function of (key, images, labels) on each half of the batch, with shard_map's check_vma."""
    keys = jax.random.split(jax.random.key(0), DEVICES)
    mapped = jax.shard_map(
        lambda keys, *batch: function(keys[0], *batch),
        mesh=mesh_of(AxisType.Auto), in_specs=P('batch'), out_specs=P('batch'),
    )  # fmt: skip
    parts = zip(keys, jnp.split(images, DEVICES), jnp.split(labels, DEVICES), strict=True)
    alone = [function(*part) for part in parts]
    for one, two in zip(jax.jit(mapped)(keys, images, labels), zip(*alone, strict=True), strict=True):
        np.testing.assert_allclose(one, np.concatenate(two), atol=TOLERANCE)


def check_explicit_axes(function, images, labels):
    """A jitted function of (key, images, labels) on a batch that is sharded over an Explicit axis."""
    key, mesh = jax.random.key(0), mesh_of(AxisType.Explicit)
    expected = function(key, images, labels)
    with jax.set_mesh(mesh):
        batch = jax.device_put((images, labels), NamedSharding(mesh, P('batch')))
        mixed = function(key, *batch)
    for one, two, argument in zip(mixed, expected, batch, strict=True):
        assert jax.typeof(one).sharding == jax.typeof(argument).sharding
        np.testing.assert_allclose(one, two, atol=TOLERANCE)


def equations(jaxpr):
    """All equations of a jaxpr, also those of the functions that it calls."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda p: hasattr(p, 'eqns')):
            if hasattr(inner, 'eqns'):
                yield from equations(inner)
