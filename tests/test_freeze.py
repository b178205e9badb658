"""Frozen parts of a network: a WRN-10-1's backbone, or a part of it, through the real step."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from jax.extend.core import jaxprs_in_params

from resizemix_jax import freeze, state, step
from resizemix_jax.find import find
from resizemix_jax.optimizers.sgd import sgd

PARAMS = {'backbone': {'stem': {'kernel': 1, 'bias': 2}, 'norm': {'scale': 3}}, 'top': {'kernel': 4}}
STEM = ('backbone/stem/*', 'backbone/group1*')


@pytest.mark.parametrize(
    ('patterns', 'frozen'),
    [
        (('backbone/*',), {'backbone': PARAMS['backbone']}),
        (('*/bias',), {'backbone': {'stem': {'bias': 2}}}),
        (('top/kernel', '*norm*'), {'backbone': {'norm': {'scale': 3}}, 'top': {'kernel': 4}}),
        ((), {}),
    ],
)
def test_split_by_patterns_and_merge(patterns, frozen):
    trainable, fixed = freeze.split(PARAMS, patterns)
    assert fixed == frozen
    assert not set(flatten_dict(trainable)) & set(flatten_dict(fixed))
    assert freeze.merge(trainable, fixed) == PARAMS


def test_without_patterns_the_tree_is_the_same_object():
    trainable, frozen = freeze.split(PARAMS, ())
    assert trainable is PARAMS and freeze.merge(trainable, frozen) is PARAMS


def test_patterns_that_freeze_nothing_or_everything_are_refused():
    for pattern in ('stem/*', 'Backbone/*', 'backbone'):
        with pytest.raises(ValueError, match='matches no parameter; .*: backbone, top; e.g.'):
            freeze.split(PARAMS, ('top/*', pattern))
    with pytest.raises(ValueError, match=r"freeze=\('\*',\) leaves no parameter to train"):
        freeze.split(PARAMS, ('*',))


class Task:
    """A classifier of noise; `model` is a module of the family."""

    metric_names = ('loss',)

    def __init__(self, model):
        self.model = model

    def prepare(self, params, batch_stats, batch, key, progress):
        return batch

    def loss(self, params, batch_stats, examples, key):
        variables = {'params': params, 'batch_stats': batch_stats}
        logits, updated = self.model.apply(variables, examples['images'], True, mutable=['batch_stats'])
        loss = -jnp.mean(jax.nn.log_softmax(logits)[:, 0])
        return loss, (updated['batch_stats'], {'loss': loss})


@functools.cache
def start(frozen, remat=False):
    """(step function, state, batch), with weight decay and Nesterov momentum."""
    model = find('models', 'wide_resnet')(3, depth=10, width=1, remat=remat)
    images = 3 + 2 * jax.random.normal(jax.random.key(1), (8, 16, 16, 3))
    variables = jax.jit(model.init)(jax.random.key(0), images)
    tx = sgd(lambda step: 0.1, weight_decay=0.1)
    made = state.create(variables, tx, ('loss',), lambda params: freeze.split(params, frozen)[0])
    fn = step.make_train_step(Task(model), tx, steps=10, log_every=5, frozen=frozen)
    # The step averages over the devices' axis; vmap gives it one.
    alone = jax.vmap(fn, in_axes=(None, 0, None), out_axes=None, axis_name='devices', axis_size=1)
    return alone, made, {'images': images[None]}


def changed(before, after):
    """The paths of the arrays that are not bit-equal."""
    before, after = flatten_dict(before, sep='/'), flatten_dict(after, sep='/')
    assert set(before) == set(after)
    return {path for path in before if not np.array_equal(before[path], after[path])}


@pytest.mark.slow
@pytest.mark.parametrize('remat', [False, True])
def test_frozen_parameters_and_statistics_stay_bit_equal_and_the_others_move(remat):
    fn, first, batch = start(STEM, remat)
    last = jax.jit(fn)(first, batch, jax.random.key(2))[0]
    for before, after in ((first.params, last.params), (first.batch_stats, last.batch_stats)):
        moved, paths = changed(before, after), set(flatten_dict(before, sep='/'))
        assert moved == {path for path in paths if not freeze.matches(path, STEM)}
        assert moved and moved != paths
    momentum = flatten_dict(last.opt_state[1].trace, sep='/')
    assert set(momentum) == {p for p in flatten_dict(first.params, sep='/') if not freeze.matches(p, STEM)}


@pytest.mark.slow
def test_frozen_statistics_are_those_that_are_used():
    model = find('models', 'wide_resnet')(3, depth=10, width=1)
    _, made, batch = start(())
    stats = jax.tree.map(lambda leaf: leaf + 0.5, made.batch_stats)
    variables, images = {'params': made.params, 'batch_stats': stats}, batch['images'][0]
    apply = jax.jit(functools.partial(model.apply, mutable=['batch_stats']), static_argnames='train')
    evaluated = apply(variables, images, train=False)[0]
    trained = apply(variables, images, train=True)[0]
    with freeze.fixed_statistics(('*',)):  # the same jitted function, already traced without
        fixed, updated = apply(variables, images, train=True)
    np.testing.assert_array_equal(fixed, evaluated)
    assert not changed(stats, updated['batch_stats'])
    assert not np.allclose(trained, evaluated, atol=1e-3)
    np.testing.assert_array_equal(apply(variables, images, train=True)[0], trained)


@pytest.mark.parametrize(
    ('patterns', 'fixed'),
    [(('*/scale', '*/bias'), True), (('*/bias',), False), (('backbone/group1*', 'top/*'), False)],
)
@pytest.mark.slow
def test_a_batch_norm_is_frozen_with_all_of_its_parameters(patterns, fixed):
    _, made, batch = start(())
    model = find('models', 'wide_resnet')(3, depth=10, width=1)
    with freeze.fixed_statistics(patterns):
        _, updated = model.apply(
            {'params': made.params, 'batch_stats': made.batch_stats},
            batch['images'][0],
            train=True,
            mutable=['batch_stats'],
        )
    group2 = (
        made.batch_stats['backbone']['group2_block1'],
        updated['batch_stats']['backbone']['group2_block1'],
    )
    assert bool(changed(*group2)) != fixed


def convolutions(fn, *args):
    """The number of convolutions in a function, those within calls included."""

    def count(jaxpr):
        total = 0
        for equation in jaxpr.eqns:
            total += equation.primitive.name == 'conv_general_dilated'
            total += sum(count(inner) for inner in jaxprs_in_params(equation.params))
        return total

    return count(jax.make_jaxpr(fn)(*args).jaxpr)


@pytest.mark.slow
def test_no_gradient_is_computed_for_frozen_parameters():
    # The stem, 2 convolutions in each of 3 blocks and 2 shortcuts. Each has a gradient of its kernel, and all
    # but the stem one of its input. The input of the first block that is trained has a trained BatchNorm.
    for frozen, kernels, inputs in (
        ((), 9, 8),
        (('backbone/stem/*',), 8, 8),
        (STEM, 6, 6),
        (('backbone/*',), 0, 0),
    ):
        fn, made, batch = start(frozen)
        assert convolutions(fn, made, batch, jax.random.key(2)) == 9 + kernels + inputs
