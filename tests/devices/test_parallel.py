import jax
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from resizemix_jax import step
from resizemix_jax.devices import parallel
from tests import toy


@pytest.mark.slow
def test_the_replacement_of_pmap_gives_the_same_parameters():
    """The spare `data_parallel` of parallel.py's docstring, kept working for the day pmap goes."""
    task, devices = toy.task(norm=True, mixing='resizemix', augment='crop_flip'), parallel.choose_devices(8)
    train_step = step.make_train_step(task, toy.tx(), steps=100, log_every=3)
    mesh = Mesh(np.array(devices), (parallel.AXIS,))
    whole, split = PartitionSpec(), PartitionSpec(parallel.AXIS)
    spare = jax.jit(
        jax.shard_map(train_step, mesh=mesh, in_specs=(whole, split, whole), out_specs=whole, check_vma=False)
    )
    state, key = toy.state(task, devices), parallel.place(jax.random.key(1), devices)
    for index in range(3):
        state, _ = spare(state, toy.batch(seed=index), key)
    by_pmap = toy.run(task, 8)
    jax.tree.map(np.testing.assert_array_equal, by_pmap.params, parallel.to_host(state.params))


def test_state_is_whole_on_every_device_and_the_batch_is_split():
    devices = parallel.choose_devices(8)
    placed = parallel.place({'a': np.arange(6.0)}, devices)['a']
    assert placed.shape == (6,) and placed.is_fully_replicated and len(placed.devices()) == 8
    split = parallel.shard({'a': np.arange(16)}, devices)['a']
    assert split.shape == (8, 2)
    for i, part in enumerate(split.addressable_shards):
        np.testing.assert_array_equal(part.data, [[2 * i, 2 * i + 1]])


def test_device_counts():
    assert len(parallel.choose_devices()) == len(parallel.choose_devices(0)) == 8
    assert len(parallel.choose_devices(3)) == 3
    with pytest.raises(ValueError, match='num_devices=9 must be between 0 .all. and the 8 devices'):
        parallel.choose_devices(9)
    assert parallel.describe(parallel.choose_devices(2)) == '2 x cpu'
