import json
import shutil
import time

import numpy as np
import pytest

from resizemix_jax import build, command, evaluate, train
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError, DataError, RunError
from resizemix_jax.input.dataset import Split
from resizemix_jax.run import files
from tests import tiny, unprivileged


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('trained')
    return workdir, train.train_and_evaluate(tiny.config(), workdir)


@pytest.mark.slow
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
def test_the_checkpoints_of_a_run_are_what_it_reported(trained, caplog):
    workdir, result = trained
    before = {path: path.read_bytes() for path in workdir.rglob('*') if path.is_file()}
    values = evaluate.evaluate_checkpoint(tiny.config(num_devices=8), workdir)
    assert values['last_step'] == result['steps'] == 12
    np.testing.assert_allclose(values['last_top1'], result['top1_last'])
    np.testing.assert_allclose(values['best_top1'], result['top1_best'])
    after = {path: path.read_bytes() for path in workdir.rglob('*') if path.is_file()}
    written = after.pop(workdir / 'evaluations.jsonl')
    assert after == before and 'other values' not in caplog.text
    (row,) = map(json.loads, written.splitlines())
    assert row['last_top1'] == values['last_top1'] and row['changes'] == [] and row['devices'] == '8 x cpu'
    assert row['dataset'] == 'fake' and row['data']['size'] == 37 and row['versions']['resizemix_jax']


@pytest.mark.slow
def test_other_data_is_evaluated_and_said(trained, caplog):
    workdir, _ = trained
    values = evaluate.evaluate_checkpoint(tiny.config(dataset_args__eval_size=20, half_eval='full'), workdir)
    assert values['last_examples'] == 20
    assert "other values than the run's own:\n    dataset_args.eval_size: 37 -> 20" in caplog.text
    row = json.loads((workdir / 'evaluations.jsonl').read_text().splitlines()[-1])
    assert row['changes'] == [['dataset_args.eval_size', 37, 20]] and row['data']['size'] == 20


def test_the_run_s_own_config_serves(trained):
    workdir, _ = trained
    mode, request = command.read(['main.py', '--mode=evaluate', f'--workdir={workdir}', '--config.workers=0'])
    config = configs.stored(request.config)
    assert mode == 'evaluate' and config.pop('workers') == 0 and request.config.is_locked
    stored = files.read_json(workdir / 'config.json')
    assert config == {key: value for key, value in stored.items() if key != 'workers'}
    assert request.config.mixing_args.tau == (0.1, 0.8) and request.table.name == 'quickstart'
    with pytest.raises(ConfigError, match='holds no run .*; name a config with --config=FILE'):
        command.read(['main.py', '--mode=evaluate', f'--workdir={workdir}/absent'])


@pytest.mark.slow
def test_predictions_are_written_in_the_order_of_the_split(trained, tmp_path, caplog):
    workdir = shutil.copytree(trained[0], tmp_path / 'run')
    config = tiny.config(num_devices=2, eval_batch_size=12)
    asked = evaluate.Asked(predictions=True, logits=True, robustness=('occlusion',))
    values = evaluate.evaluate_checkpoint(config, workdir, asked=asked)
    assert 'No temperature is fitted, since that needs examples of its own: --split=held_out' in caplog.text
    with np.load(workdir / 'predictions/last.npz') as made:
        assert made['row'].tolist() == list(range(37)) and made['logits'].shape == (37, 4)
        plan = build.plan(config)
        split = plan.dataset.read('eval', '')
        assert made['label'].tolist() == split.batch(np.arange(37), None)['label'].tolist()
        assert np.mean(made['predicted'] == made['label']) == pytest.approx(values['last_top1'])
        types = {name: made[name].dtype.name for name in made}
    assert types.pop('probability') == types.pop('logits') == 'float32' and set(types.values()) == {'int32'}
    assert values['last_nll'] == pytest.approx(values['last_loss'], rel=1e-5)
    assert 0 <= values['best_ece'] <= 1 and 'last_temperature' not in values
    about = files.read_json(workdir / 'predictions/best.json')
    assert about['values']['ece'] == values['best_ece'] and np.sum(about['confusion']) == 37
    assert (workdir / 'predictions/best_reliability.png').read_bytes().startswith(b'\x89PNG')
    row = json.loads((workdir / 'evaluations.jsonl').read_text().splitlines()[-1])
    assert row['last_brier'] == values['last_brier'] and 0 <= row['best_occlusion_50_top1'] <= 1


@pytest.mark.slow
def test_a_temperature_is_fitted_on_held_out_examples(trained, tmp_path, monkeypatch):
    workdir = shutil.copytree(trained[0], tmp_path / 'run')
    monkeypatch.setattr(evaluate, 'HELD_OUT', 'train')
    values = evaluate.evaluate_checkpoint(tiny.config(), workdir, asked=evaluate.Asked(predictions=True))
    assert values['last_temperature'] > 0 and 0 <= values['last_ece_scaled'] <= 1
    assert values['best_nll_scaled'] != values['best_nll'] == pytest.approx(values['best_loss'], rel=1e-5)


@pytest.mark.slow
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


@pytest.mark.parametrize('name', ['checkpoints', 'best'])
def test_checkpoints_that_may_not_be_read_are_not_taken_for_none(name, trained, shared_path):
    workdir = shutil.copytree(trained[0], shared_path / 'run')
    unprivileged.write_protect(workdir)
    (workdir / name).chmod(0)
    with (
        unprivileged.user(),
        pytest.raises(RunError, match=f'^cannot list {workdir}/{name}: Permission denied'),
    ):
        evaluate.evaluate_checkpoint(tiny.config(), workdir)


@pytest.mark.slow
def test_a_checkpoint_of_another_network_is_refused(trained):
    with pytest.raises(DataError, match='another network'):
        evaluate.evaluate_checkpoint(tiny.config(model_args__width=2), trained[0])
