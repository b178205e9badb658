"""The decorator of mixing ops, on meshes with several axes. `test_conventions` tests every op on one axis."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from resizemix_jax.mixing.mixup import mixup
from tests.mixing import contexts

KEY = jax.random.key(0)
IMAGES = jax.random.normal(jax.random.key(1), (8, 4, 4, 1))
LABELS = jnp.eye(8)


def mesh_of(*kinds):
    return jax.make_mesh((2, 2), ('batch', 'model'), axis_types=kinds, devices=jax.devices()[:4])


def agree(mixed, expected):
    for one, two in zip(mixed, expected, strict=True):
        np.testing.assert_allclose(one, two, atol=contexts.TOLERANCE)


@pytest.mark.parametrize('jitted', [True, False])
@pytest.mark.parametrize(
    'kinds', [(AxisType.Explicit, AxisType.Auto), (AxisType.Explicit, AxisType.Explicit)]
)
@pytest.mark.slow
def test_only_images_may_be_sharded(kinds, jitted):
    mesh = mesh_of(*kinds)
    sharded = jax.device_put(IMAGES, NamedSharding(mesh, P('batch')))
    labels = LABELS if jitted else jax.device_put(LABELS, NamedSharding(mesh, P()))
    mixed = (jax.jit(mixup) if jitted else mixup)(KEY, sharded, labels)
    assert mixed[0].sharding.spec[0] == 'batch'
    agree(mixed, mixup(KEY, IMAGES, LABELS))


@pytest.mark.slow
def test_shard_map_over_one_of_two_explicit_axes():
    mesh = mesh_of(AxisType.Explicit, AxisType.Explicit)
    parts = zip(jnp.split(IMAGES, 2), jnp.split(LABELS, 2), strict=True)
    alone = [mixup(KEY, *part) for part in parts]
    with jax.set_mesh(mesh):
        batch = jax.device_put((IMAGES, LABELS), NamedSharding(mesh, P('batch')))
        mapped = jax.shard_map(
            mixup, axis_names={'batch'}, in_specs=(P(), P('batch'), P('batch')), out_specs=P('batch')
        )
        mixed = jax.jit(mapped)(KEY, *batch)
    agree(mixed, [np.concatenate(two) for two in zip(*alone, strict=True)])
