"""A workdir that version 0.1.0 left, stopped in the middle, is continued by this one."""

import json
import pathlib
import tarfile

import pytest

from resizemix_jax import build, config, train
from resizemix_jax.run import checkpoint, files, identity, workdir
from tests import tiny
from tests.run.version_0_1_0 import make
from tests.test_train import rows

HERE = pathlib.Path(__file__).parent / 'version_0_1_0'


@pytest.fixture(scope='module')
def old(tmp_path_factory):
    """The directory with `stopped` and `finished`, see version_0_1_0/make.py."""
    path = tmp_path_factory.mktemp('version_0_1_0')
    with tarfile.open(HERE / 'workdirs.tar.gz') as archive:
        archive.extractall(path, filter='data')
    return path


def same_run(path):
    """The config that an old workdir's command makes today, before it is completed with every keyword."""
    stored = config.migrate(files.read_json(path / 'config.json'))
    made = tiny.config()
    with made.unlocked():
        for key, value in stored.items():
            made[key] = tuple(value) if isinstance(value, list) else value
    return made


@pytest.mark.slow
def test_the_state_is_restored_bit_by_bit(old):
    plan = build.plan(same_run(old / 'stopped'))
    run = build.open_run(plan)
    with checkpoint.Checkpoints(old / 'stopped') as checkpoints:
        state = checkpoints.restore(build.initial_state(run), plan.devices)
    found = make.fingerprint({name: getattr(state, name) for name in state.__dataclass_fields__})
    expected = json.loads((HERE / 'state.json').read_text())
    assert {name: found.get(name) for name in expected} == expected
    assert found.keys() - expected.keys() == {'metrics/steps'}


@pytest.mark.slow
def test_the_run_continues_to_the_rows_of_an_unbroken_one(old, tmp_path, caplog):
    (old / 'stopped').rename(path := tmp_path / 'run')
    caplog.set_level('INFO', 'resizemix_jax')
    result = train.train_and_evaluate(same_run(path), path)
    assert 'Resuming at step 6' in caplog.text
    assert result['steps'] == 12 and [row['step'] for row in result['identity']] == [0, 6]
    now, then = rows(path), rows(old / 'finished')
    assert [row['step'] for row in now] == [row['step'] for row in then]
    for one, other in zip(now, then, strict=True):
        # To the rounding of another processor: one machine's bits are compared by tests/campaigns/upgrade.py.
        assert one == pytest.approx(other, rel=1e-2, abs=0.06)
    assert [row for row in now if row['step'] <= 6] == [row for row in then if row['step'] <= 6]


@pytest.mark.slow
def test_a_finished_run_is_reported(old):
    path = old / 'finished'
    made = same_run(path)
    result = train.train_and_evaluate(made, path)
    assert result == files.read_json(path / 'result.json') and result['top1_last'] >= 0
    assert not (path / identity.IDENTITY).exists() and (path / workdir.CONFIG).exists()


@pytest.mark.slow
def test_an_epoch_of_another_batch_size_continues_an_old_run(old, tmp_path):
    """Half the epochs in batches of 16 by the old version, the rest in batches of 8."""
    with tarfile.open(HERE / 'workdirs.tar.gz') as archive:
        archive.extractall(tmp_path, filter='data')
    path = tmp_path / 'stopped'
    made = same_run(path)
    with made.unlocked():
        made.batch_size = 8
    result = train.train_and_evaluate(made, path)
    # Step 6 is half of epoch 2; then 4 steps to its end, and 8 of the third epoch.
    assert result['steps'] == 18 and [row['offset'] for row in result['identity']] == [0, -6]
    assert [row['step'] for row in rows(path) if 'eval_top1' in row] == [4, 10, 18]
    assert [row['epoch'] for row in rows(path) if 'epoch' in row] == pytest.approx([1.25, 2.0, 2.625, 3.0])
