"""From a config to what a run does: its learning rates, updates and loss, as numbers worked out by hand.

CIFAR-10 has 195 steps an epoch at batch 256, ImageNet 2502 at 512. A third of a cosine leaves 3/4 of the
rate, half of it 1/2, two thirds 1/4. The updates are of a parameter 2 with gradients 0.5 and 0.5.
"""

import dataclasses
import functools
import importlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resizemix_jax import build
from resizemix_jax import config as config_module
from resizemix_jax.devices import parallel
from tests import tiny

# Cell: ({step: learning rate}, the changes of a parameter at the first steps).
WRN_PAPER = {0: 0.1, 13000: 0.075, 19500: 0.05, 26000: 0.025, 39000: 0.0}
# A warm-up of 975 steps from 1e-5 to 0.2, then 38,025 steps down to 1e-5.
WRN_RELEASED = {0: 1e-5, 195: 0.040008, 975: 0.2, 13650: 0.1500025, 26325: 0.0500075, 39000: 1e-5}
SS_PAPER = {0: 0.01, 117000: 0.0075, 175500: 0.005, 234000: 0.0025, 351000: 0.0}
SS_RELEASED = {0: 1e-5, 195: 0.008008, 975: 0.04, 117650: 0.0300025, 234325: 0.0100075, 351000: 1e-5}
RESNET = {0: 0.5, 250200: 0.375, 375300: 0.25, 500400: 0.125, 750600: 0.0}
RESNET_RELEASED = {0: 0.5, 250200: 0.3750025, 375300: 0.250005, 500400: 0.1250075, 750600: 1e-5}
CELLS = {
    # d = 0.5 + 5e-4 * 2 = 0.501; with Nesterov 0.1 * (d + 0.9 d).
    'table2:row=baseline,model=wrn28_10': (WRN_PAPER, -0.09519),
    # Without: d, at the first rate of the warm-up.
    'table2:row=baseline,model=wrn28_10,recipe=released': (WRN_RELEASED, -5.01e-6),
    'table2:row=baseline,model=ss26_2x96d': (SS_PAPER, -0.009538),  # d = 0.502
    'table2:row=baseline,model=ss26_2x96d,recipe=released': (SS_RELEASED, -5.002e-6),  # d = 0.5002
    'table4:row=baseline,model=resnet50': (RESNET, -0.475076),  # d = 0.50008
    'table4:row=baseline,model=resnet50,recipe=released': (RESNET_RELEASED, -0.25004),
    'table4:row=baseline,model=resnet101': (RESNET, -0.475076),
    'table4:row=baseline,model=resnet101,recipe=released': (RESNET_RELEASED, -0.25004),
    # 6 epochs of 312 steps, and 120 of 10.
    'quickstart:row=baseline': ({0: 0.1, 624: 0.075, 936: 0.05, 1248: 0.025, 1872: 0.0}, -0.09519),
    'small_study:row=baseline': ({0: 0.1, 400: 0.075, 600: 0.05, 800: 0.025, 1200: 0.0}, -0.09519),
}


@functools.cache
def opened(cell):
    """The run of a table's cell, without its data."""
    table, _, argument = cell.partition(':')
    config = importlib.import_module(f'configs.{table}').get_config(argument)
    config_module.override(config, {'model': 'tests.small'})  # schedules and optimisers do not ask for it
    return build.unopened_run(build.plan(config, jax.devices()[:1]))


def steps_of(tx, params, gradients):
    """The changes of the parameters at each update."""
    state, changes = tx.init(params), []
    for gradient in gradients:
        grads = jax.tree.map(lambda p, gradient=gradient: jnp.full_like(p, gradient), params)
        updates, state = tx.update(grads, state, params)
        params = jax.tree.map(jnp.add, params, updates)
        changes.append(updates)
    return changes


@pytest.mark.parametrize('cell', CELLS)
@pytest.mark.slow
def test_learning_rates_of_a_recipe(cell):
    run, (expected, _) = opened(cell), CELLS[cell]
    assert run.steps == max(expected)
    rates = [float(run.schedule(step)) for step in expected]
    np.testing.assert_allclose(rates, list(expected.values()), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize('cell', CELLS)
@pytest.mark.slow
def test_first_update_of_a_recipe(cell):
    params = {'kernel': jnp.full((1, 1), 2.0), 'bias': jnp.full(1, 2.0)}
    (changes,) = steps_of(opened(cell).tx, params, [0.5])
    np.testing.assert_allclose(changes['kernel'], [[CELLS[cell][1]]], rtol=1e-5)
    np.testing.assert_allclose(changes['bias'], [CELLS[cell][1]], rtol=1e-5)


class Fixed(nn.Module):
    """A network that always gives 0.4 to class 0 and shares the rest among the others equally."""

    num_classes: int

    def __call__(self, images, train=False):
        others = 0.6 / (self.num_classes - 1)
        return jnp.log(jnp.full((len(images), self.num_classes), others).at[:, 0].set(0.4))


def loss(task, label):
    """The loss of two images of the class `label`, through prepare and loss, with the network `Fixed`."""
    task = dataclasses.replace(task, model=Fixed(task.dataset.num_classes))
    batch = {
        'images': np.zeros((2, *task.dataset.image_shape), np.uint8),
        'label': np.full(2, label, np.int32),
    }
    key = jax.random.key(0)
    examples = task.prepare({}, {}, batch, key, jnp.float32(0))
    return float(task.loss({}, {}, examples, key)[0])


@pytest.mark.parametrize('cell', CELLS)
@pytest.mark.slow
def test_loss_of_a_recipe_is_the_cross_entropy_without_smoothing(cell):
    assert loss(opened(cell).plan.task, 0) == pytest.approx(0.91629073, rel=1e-5)  # -log 0.4


@pytest.mark.slow
@pytest.mark.parametrize(
    ('values', 'label', 'expected'),
    [
        # 4 classes: probabilities 0.4 and three times 0.2.
        (dict(label_smoothing=0.0), 0, 0.91629073),
        (dict(label_smoothing=0.0), 1, 1.60943791),
        # Labels 0.85 and three times 0.05: 0.85 * 0.91629073 + 0.15 * 1.60943791.
        (dict(label_smoothing=0.2), 0, 1.02026281),
        # The mean over the classes of -log p or -log(1 - p) of the softmax: 0.91629 and three times 0.22314.
        (dict(loss='bce_softmax'), 0, 0.39643034),
        # The same of the sigmoids: 0.4 / 1.4 and 0.2 / 1.2: 1.25276297 and three times 0.18232156.
        (dict(loss='bce'), 0, 0.44993191),
    ],
)
def test_loss_and_smoothing_are_those_of_the_config(values, label, expected):
    config = tiny.config(mixing='none', mixing_args={}, **values)
    assert loss(build.plan(config).task, label) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        # p = 2, gradients 0.5 and 0.5; lr 0.1 by a schedule that is constant.
        (dict(momentum=0.0, nesterov=False, weight_decay=0.0), [-0.05, -0.05]),
        (dict(momentum=0.5, nesterov=False, weight_decay=0.0), [-0.05, -0.075]),
        (dict(momentum=0.5, nesterov=True, weight_decay=0.0), [-0.075, -0.0875]),
        # d = 0.51, then m = 0.255 + 0.50949 at p = 1.949.
        (dict(momentum=0.5, nesterov=False, weight_decay=0.005), [-0.051, -0.0764745]),
    ],
)
@pytest.mark.slow
def test_sgd_s_keywords_are_those_of_the_config(values, expected):
    config = tiny.config(
        optimizer_args=values, schedule='step', schedule_args=dict(lr=0.1, decay_epochs=(), warmup_steps=0)
    )
    tx = build.unopened_run(build.plan(config)).tx
    changes = steps_of(tx, {'kernel': jnp.full((1, 1), 2.0)}, [0.5, 0.5])
    np.testing.assert_allclose([c['kernel'][0, 0] for c in changes], expected, rtol=1e-5)


@pytest.mark.slow
def test_optimiser_schedule_and_network_are_those_of_the_config():
    config = tiny.config(
        model='vit',
        model_args=dict(patch=4, width=8, depth=2, heads=2),
        optimizer='adamw',
        optimizer_args=dict(weight_decay=0.5, clip_norm=1.0),
        schedule='step',
        schedule_args=dict(lr=0.1, decay_epochs=(1, 2), factor=0.5, warmup_steps=2, warmup_lr=0.0),
    )
    run = build.unopened_run(build.plan(config))
    rates = [float(run.schedule(step)) for step in range(12)]
    np.testing.assert_allclose(rates, [0, 0.05, 0.1, 0.1, *4 * [0.05], *4 * [0.025]], rtol=1e-6)
    # Adam's step is the sign of the gradient; at the second, the kernel 2 loses 0.05 * 0.5 * 2 besides.
    _, change = steps_of(run.tx, {'kernel': jnp.full((1, 1), 2.0), 'bias': jnp.full(1, 2.0)}, [0.5, 0.5])
    np.testing.assert_allclose(change['kernel'], [[-0.1]], rtol=1e-4)
    np.testing.assert_allclose(change['bias'], [-0.05], rtol=1e-4)
    state = build.initial_state(run)
    assert set(state.params['backbone']) >= {'cls_token', 'pos_embed', 'block1', 'block2'}
    assert not state.batch_stats


@pytest.mark.slow
def test_freeze_is_that_of_the_config():
    plan = build.plan(tiny.config(freeze=('backbone/*',), optimizer_args=dict(weight_decay=0.5), **tiny.WIDE))
    run = build.unopened_run(plan)
    first = build.initial_state(run)
    before = parallel.to_host(first)  # the step donates its state
    assert set(before.opt_state[1].trace) == {'top'}
    batch = jax.tree.map(lambda a: np.ones(a.shape, a.dtype), build.train_batches(plan)[0])
    after = parallel.to_host(
        run.train_step(
            first, parallel.shard(batch, plan.devices), parallel.place(jax.random.key(0), plan.devices)
        )[0]
    )
    for old, new in ((before.params, after.params), (before.batch_stats, after.batch_stats)):
        jax.tree.map(np.testing.assert_array_equal, old['backbone'], new['backbone'])
        moved = jax.tree.map(lambda a, b: not np.array_equal(a, b), old['top'], new['top'])
        assert all(jax.tree.leaves(moved))
