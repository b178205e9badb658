"""The real loop with a task of another kind: batches of two shapes, ragged rows, evaluation by rows."""

import json
import os
import signal

import jax
import numpy as np
import pytest

from resizemix_jax import build, config, evaluate, train
from resizemix_jax import compile as compiling
from resizemix_jax.devices import parallel
from resizemix_jax.errors import ConfigError, PreemptedError, RunError
from resizemix_jax.input import pipeline
from resizemix_jax.run.checkpoint import Checkpoints
from tests import boxes, bucketed

pytestmark = pytest.mark.slow

TIMES = ('seconds', 'compile_seconds', 'images_per_second', 'data_wait_share')


def make(**values):
    made = config.base()
    keys = dict(
        task='tests.boxes', dataset='tests.bucketed', batch_size=8, eval_batch_size=8, epochs=3,
        log_every_steps=3, num_devices=1, workers=0, schedule_args=dict(lr=0.01),
    )  # fmt: skip
    return config.complete(config.assign(made, keys | values))


def final(workdir):
    run = build.open_run(build.plan(make()))
    with Checkpoints(workdir) as checkpoints:
        return parallel.to_host(checkpoints.restore(build.initial_state(run), run.plan.devices))


def rows(workdir):
    lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('unbroken')
    return workdir, train.train_and_evaluate(make(), workdir)


def test_results_are_named_by_the_task_s_score(unbroken):
    workdir, result = unbroken
    assert result['score'] == 'close' and 0 <= result['close_last'] <= result['close_best'] <= 1
    assert 'error_last' in result and 'close_median10' not in result  # of three evaluations
    assert not [name for name in result if 'top1' in name]
    found = rows(workdir)
    assert [row['step'] for row in found if 'eval_close' in row] == [4, 8, 12]
    assert {row['eval_examples'] for row in found if 'eval_close' in row} == {22}


@pytest.mark.parametrize('devices', [1, 4])
def test_every_device_count_evaluates_every_row_once(devices, unbroken):
    run = build.open_run(build.plan(make(num_devices=devices)))
    state = build.initial_state(run)
    measured, sums = evaluate.evaluate(run.eval_step, run.plan, state, run.eval)
    assert measured['examples'] == sums['examples'] == 22
    alone = run.plan.task.error(state.params, pipeline.eval_batch(run.eval, 8, 0))
    assert measured['error'] > 0 and np.isfinite(alone).all()


def test_four_devices_train_what_one_does(unbroken, tmp_path):
    result = train.train_and_evaluate(make(num_devices=4), tmp_path)
    assert result['device'] == '4 x cpu' and [row['step'] for row in rows(tmp_path)] == [
        row['step'] for row in rows(unbroken[0])
    ]


@pytest.mark.parametrize(('name', 'calls', 'step'), [('train_batch', 3, 3), ('eval_batches', 2, 8)])
def test_a_stopped_run_continues_bit_by_bit(name, calls, step, unbroken, tmp_path, monkeypatch):
    original, count = getattr(pipeline, name), iter(range(1, 1000))

    def terminating(*args, **keywords):
        if next(count) == calls:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(*args, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, name, terminating)
        with pytest.raises(PreemptedError, match=f'saved at step {step};'):
            train.train_and_evaluate(make(), tmp_path)
    train.train_and_evaluate(make(), tmp_path)
    jax.tree.map(np.testing.assert_array_equal, final(tmp_path), final(unbroken[0]))
    assert rows(tmp_path) == rows(unbroken[0])


def test_what_an_epoch_s_end_changes_is_part_of_the_state(unbroken):
    state = final(unbroken[0])
    assert state.more['epochs'] == 3 and state.more['mean'] > 0


def test_a_task_may_train_on_two_splits(tmp_path):
    values = make(task_args=dict(splits=('train', 'held_out')))
    run = build.open_run(build.plan(values))
    assert set(run.train) == {'train', 'held_out'}
    batch = next(train.train_batches(run, 0))
    jax.tree.map(
        np.testing.assert_array_equal, batch['held_out'], pipeline.train_batch(run.train['held_out'], 8, 0, 0)
    )
    with pytest.raises(ConfigError, match="uses the split 'validation'; dataset='tests.bucketed' has: train"):
        build.plan(make(task_args=dict(splits=('train', 'validation'))))


def test_every_bucket_is_compiled_before_the_first_step(monkeypatch, tmp_path):
    compiled, called = [], []
    lower = parallel.Step.lower
    monkeypatch.setattr(
        parallel.Step, 'lower', lambda self, batch: compiled.append(len(called)) or lower(self, batch)
    )
    call = parallel.Step.__call__
    monkeypatch.setattr(parallel.Step, '__call__', lambda self, *args: called.append(1) or call(self, *args))
    train.train_and_evaluate(make(steps=4), tmp_path)
    assert compiled[:2] == [0, 0] and not [n for n in compiled[2:] if 0 < n < 4]


def test_the_compile_mode_reports_every_bucket():
    small, large = compiling.compile_step(make(num_devices=4))
    assert 'images uint8[6, 10, 1]' in small.bucket and 'images uint8[10, 8, 1]' in large.bucket
    assert small.batch == large.batch == 2 and large.flops > small.flops > 0


def test_a_missing_or_doubled_row_is_an_error():
    part = {'row': np.array([0, 2]), 'valid': np.ones(2), 'error': np.array([1.0, 3.0])}
    rest = {'row': np.array([1, 1]), 'valid': np.array([1.0, 0.0]), 'error': np.array([2.0, 9.0])}
    np.testing.assert_array_equal(evaluate.in_order([part, rest], 3)['error'], [1, 2, 3])
    with pytest.raises(RunError, match='3 of 4 rows were evaluated, 3 in all'):
        evaluate.in_order([part, rest], 4)
    with pytest.raises(RunError, match='3 of 3 rows were evaluated, 4 in all'):
        evaluate.in_order([part, rest | {'valid': np.ones(2)}], 3)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'score': None}, "task='tests.boxes' lacks score; see resizemix_jax/tasks"),
        ({'metric_names': ('loss',)}, 'loss must return a loss .* the metrics loss$'),
        ({'measure': lambda self, params, stats, batch: {}}, r'measure must return \(sums, rows\)'),
        ({'init': lambda self, key: {}}, "init must return variables with 'params'"),
    ],
)
def test_a_task_that_breaks_its_contract_says_which_part(change, message, monkeypatch):
    for name, value in change.items():
        if value is None:
            monkeypatch.delattr(boxes.Boxes, name)
        else:
            monkeypatch.setattr(boxes.Boxes, name, value)
    with pytest.raises(ConfigError, match=message):
        build.plan(make())


def test_the_dataset_s_order_groups_by_bucket():
    split = bucketed.bucketed().read('train', '')
    assert {len({row % 3 == 2 for row in rows}) for rows in split.order(0, 0, 8)} == {1}
