import time

import numpy as np
import pytest

from resizemix_jax import build, evaluate, train
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.input.dataset import Split
from tests import tiny


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('trained')
    return workdir, train.train_and_evaluate(tiny.config(), workdir)


def test_every_device_count_gives_the_same_numbers():
    values = []
    for devices, batch_size in ((1, 37), (1, 5), (8, 16), (3, 4)):
        plan = build.plan(tiny.config(num_devices=devices, eval_batch_size=batch_size, batch_size=48))
        run = build.open_run(plan)
        measured, _ = evaluate.evaluate(run.eval_step, plan, build.initial_state(run), run.eval)
        values.append(measured)
    assert {value['examples'] for value in values} == {37}
    for value in values[1:]:
        assert value['top1'] == values[0]['top1'] and value['top5'] == values[0]['top5']
        assert value['loss'] == pytest.approx(values[0]['loss'], rel=1e-5)


@pytest.mark.slow
def test_the_checkpoints_of_a_run_are_what_it_reported(trained):
    workdir, result = trained
    values = evaluate.evaluate_checkpoint(tiny.config(num_devices=8), workdir)
    assert values['last_step'] == result['steps'] == 12
    np.testing.assert_allclose(values['last_top1'], result['top1_last'])
    np.testing.assert_allclose(values['best_top1'], result['top1_best'])


def test_an_interrupted_evaluation_gives_nothing():
    run = build.open_run(build.plan(tiny.config()))
    state = build.initial_state(run)
    assert evaluate.evaluate(run.eval_step, run.plan, state, run.eval, interrupted=lambda: True) is None


class Hanging(Split):
    """Its batches never come."""

    size, streamed = 37, True

    def __init__(self, buckets):
        self.buckets = buckets

    def batch(self, rows, draw):
        time.sleep(1000)


@pytest.mark.slow
def test_an_evaluation_that_waits_is_interrupted_too():
    run = build.open_run(build.plan(tiny.config(workers=1)))
    state = build.initial_state(run)
    split = Hanging(run.eval.buckets)
    assert evaluate.evaluate(run.eval_step, run.plan, state, split, signalled=lambda: True) is None


def test_there_must_be_a_checkpoint(tmp_path):
    with pytest.raises(ConfigError, match='has no checkpoint to evaluate; train first'):
        evaluate.evaluate_checkpoint(tiny.config(), tmp_path)


def test_a_checkpoint_of_another_network_is_refused(trained):
    with pytest.raises(DataError, match='another network'):
        evaluate.evaluate_checkpoint(tiny.config(model_args__width=2), trained[0])
