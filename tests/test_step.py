"""The step: the same numbers on any number of devices, and nothing silently left out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import state as states
from resizemix_jax import step
from resizemix_jax.devices import parallel
from tests import toy


def assert_close(one, two, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **({'atol': 1e-6} | tolerance)), one, two)


@pytest.mark.slow
def test_eight_devices_take_the_step_of_one():
    one, eight = (toy.run(toy.task(), count) for count in (1, 8))
    assert_close(one.params, eight.params)
    assert_close(one.metrics, eight.metrics)
    assert int(eight.step) == 3


@pytest.mark.slow
def test_the_step_is_plain_sgd_on_the_whole_batch():
    task, batch = toy.task(), toy.batch()
    start = toy.state(task)

    def loss(params):
        examples = task.prepare(params, {}, batch, jax.random.key(9), 0.0)
        return task.loss(params, start.batch_stats, examples, jax.random.key(9))[0]

    grads = jax.grad(loss)(start.params)
    updates, _ = toy.tx().update(grads, start.opt_state, start.params)
    expected = jax.tree.map(jnp.add, start.params, updates)
    assert_close(toy.run(task, 8, steps=1).params, expected)


@pytest.mark.slow
def test_global_batch_norm_is_that_of_one_device():
    one = toy.run(toy.task(norm=True), 1)
    eight = toy.run(toy.task(norm=True, batch_norm='global'), 8)
    assert_close(one.params, eight.params, atol=1e-5)
    assert_close(one.batch_stats, eight.batch_stats, atol=1e-5)


@pytest.mark.slow
def test_local_batch_norm_keeps_the_mean_of_the_devices_statistics():
    local = toy.run(toy.task(norm=True), 8, steps=1).batch_stats['norm']
    whole = toy.run(toy.task(norm=True), 1, steps=1).batch_stats['norm']
    assert_close(local['mean'], whole['mean'], atol=1e-5)  # means average to the mean,
    assert (local['var'] < whole['var'] - 1e-4).any()  # variances within parts do not


@pytest.mark.parametrize('mixing', ['none', 'resizemix'])
@pytest.mark.slow
def test_micro_batches_make_the_unsplit_step(mixing):
    task = toy.task(mixing=mixing, augment='crop_flip')
    whole, parts = (toy.run(task, 2, micro_batches=m) for m in (1, 4))
    assert_close(whole.params, parts.params)
    assert_close(whole.metrics, parts.metrics)


def statistics(**keywords):
    """BatchNorm's running statistics of the smallest task after five steps, as one vector."""
    stats = toy.run(toy.task(norm=True), 1, steps=5, **keywords).batch_stats['norm']
    return {name: np.asarray(value) for name, value in stats.items()}


@pytest.mark.slow
def test_running_statistics_move_once_a_step_by_the_mean_of_the_parts():
    one, four = statistics(), statistics(micro_batches=4)
    # 0.9 of the old value five times: four times as many moves would leave 0.12 of it instead of 0.59.
    np.testing.assert_allclose(four['mean'], one['mean'], atol=1e-5)
    # The variance within 4 images is 3/4 of the population's on average, within 16 it is 15/16.
    moved = {name: stats['var'] - 0.9**5 for name, stats in (('one', one), ('four', four))}
    assert (moved['four'] < moved['one']).all()
    np.testing.assert_allclose(moved['four'].mean() / moved['one'].mean(), (3 / 4) / (15 / 16), atol=0.05)


@pytest.mark.slow
def test_one_step_in_parts_has_the_mean_of_their_statistics():
    task, batch = toy.task(norm=True), toy.batch()
    fresh = toy.state(task)

    def stats(batch):
        examples = task.prepare(fresh.params, {}, batch, jax.random.key(9), 0.0)
        return task.loss(fresh.params, fresh.batch_stats, examples, jax.random.key(9))[1][0]

    parts = [stats(jax.tree.map(lambda a, k=k: a[4 * k : 4 * k + 4], batch)) for k in range(4)]
    expected = jax.tree.map(lambda *leaves: sum(leaves) / 4, *parts)
    assert_close(toy.run(task, 1, steps=1, micro_batches=4).batch_stats, expected)


def mapped_by_vmap(train_step, task):
    """vmap refuses what pmap lets pass: an output that differs over the axis and has out_axes None."""
    batch = jax.tree.map(lambda a: a.reshape(4, -1, *a.shape[1:]), toy.batch())
    mapped = jax.vmap(train_step, (None, 0, None), out_axes=None, axis_name=parallel.AXIS)
    return mapped(toy.state(task), batch, jax.random.key(1))


@pytest.mark.parametrize('norm', [False, True])
@pytest.mark.slow
def test_every_output_is_averaged_over_the_devices(norm, monkeypatch):
    task = toy.task(norm=norm, mixing='resizemix', augment='crop_flip')
    train_step = step.make_train_step(task, toy.tx(), steps=100, log_every=3)
    mapped_by_vmap(train_step, task)
    monkeypatch.setattr(parallel, 'mean', lambda tree: tree)
    with pytest.raises(ValueError, match='out_axes'):
        mapped_by_vmap(step.make_train_step(task, toy.tx(), steps=100, log_every=3), task)


@pytest.mark.slow
def test_the_step_compiles_once():
    task, devices = toy.task(mixing='cutmix'), parallel.choose_devices(8)
    traces = []
    inner = step.make_train_step(task, toy.tx(), steps=100, log_every=3)

    def counted(state, batch, key):
        traces.append(1)
        return inner(state, batch, key)

    advance = parallel.data_parallel(counted, devices)
    state, key = toy.state(task, devices), parallel.place(jax.random.key(1), devices)
    for index in range(3):
        state, _ = advance(state, parallel.shard(toy.batch(seed=index), devices), key)
    assert len(traces) == 1


def test_metrics_are_sums_since_the_last_log():
    task, devices = toy.task(), parallel.choose_devices(2)
    advance, key = toy.train_step(task, devices, log_every=2), parallel.place(jax.random.key(1), devices)
    state, losses = toy.state(task, devices), []
    for index in range(5):
        state, metrics = advance(state, parallel.shard(toy.batch(seed=index), devices), key)
        losses.append(float(metrics['loss']))
        expected = sum(losses[index // 2 * 2 :])
        assert float(state.metrics['loss']) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_the_same_batch_is_mixed_anew_at_every_step():
    task, devices = toy.task(mixing='mixup'), parallel.choose_devices(2)
    advance, batch = toy.train_step(task, devices), parallel.shard(toy.batch(), devices)
    key, losses = parallel.place(jax.random.key(1), devices), []
    for at in (0, 1, 2, 0):
        state = toy.state(task, devices)
        state = state.replace(step=state.step + at)
        losses.append(float(advance(state, batch, key)[1]['loss']))
    assert len(set(losses)) == 3 and losses[0] == losses[3]


def test_draws_differ_by_device_and_by_step():
    devices = parallel.choose_devices(4)

    def draws(state, batch, key):
        key = parallel.device_key(step.keys.at_step(key, state))
        mine = jax.nn.one_hot(jax.lax.axis_index(parallel.AXIS), 4) * jax.random.uniform(key)
        return parallel.total(mine)

    fn = parallel.data_parallel(draws, devices, donate=False)
    key = parallel.place(jax.random.key(0), devices)
    values = [np.asarray(fn(parallel.place(jnp.int32(k), devices), np.zeros((4, 1)), key)) for k in (0, 1, 0)]
    assert len(set(np.concatenate(values[:2]).tolist())) == 8
    np.testing.assert_array_equal(values[0], values[2])


class Told:
    """A task whose loss is how far the training is, as it was told."""

    metric_names = ('loss',)

    def prepare(self, params, batch_stats, batch, key, progress):
        return {'progress': progress}

    def loss(self, params, batch_stats, examples, key):
        return 0.0 * params['w'].sum(), ({}, {'loss': examples['progress']})


@pytest.mark.slow
def test_the_task_is_told_how_far_the_training_is():
    devices = parallel.choose_devices(1)
    state = parallel.place(states.create({'params': {'w': jnp.zeros(1)}}, toy.tx(), ('loss',)), devices)
    advance = toy.train_step(Told(), devices)  # of 100 steps
    key = parallel.place(jax.random.key(1), devices)
    told = []
    for _ in range(3):
        state, metrics = advance(state, parallel.shard(toy.batch(), devices), key)
        told.append(float(metrics['loss']))
    np.testing.assert_allclose(told, [0, 0.01, 0.02], rtol=1e-6)
