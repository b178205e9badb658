import json
import logging
import pathlib
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import multihost_utils
from orbax.checkpoint._src.multihost import multihost

from resizemix_jax.devices import parallel
from resizemix_jax.errors import DataError, RunError
from resizemix_jax.run import files, leaves
from resizemix_jax.run.checkpoint import Checkpoints
from tests import toy


def state_at(step, devices, scale=1.0):
    fresh = toy.state(toy.task(norm=True), devices)
    return fresh.replace(step=fresh.step + step, params=jax.tree.map(lambda p: scale * p, fresh.params))


def assert_equal(one, two):
    jax.tree.map(np.testing.assert_array_equal, parallel.to_host(one), parallel.to_host(two))


def saved(workdir, steps=(3, 6), count=1, max_to_keep=1):
    devices = parallel.choose_devices(count)
    with Checkpoints(workdir, max_to_keep) as checkpoints:
        for step in steps:
            checkpoints.save(state_at(step, devices), step)


def restored(workdir, count=1):
    devices = parallel.choose_devices(count)
    with Checkpoints(workdir, 1) as checkpoints:
        return checkpoints.restore(state_at(0, devices), devices)


@pytest.mark.parametrize(('before', 'after'), [(1, 1), (1, 8), (8, 1)])
@pytest.mark.slow
def test_a_state_comes_back_on_any_number_of_devices(before, after, tmp_path):
    saved(tmp_path, count=before)
    state = restored(tmp_path, after)
    assert_equal(state, state_at(6, parallel.choose_devices(after)))
    assert all(len(leaf.devices()) == after for leaf in jax.tree.leaves(state))


@pytest.mark.slow
def test_the_newest_are_kept_and_the_best_apart(tmp_path):
    devices = parallel.choose_devices(1)
    with Checkpoints(tmp_path, max_to_keep=2) as checkpoints:
        checkpoints.save_best(state_at(1, devices, 5.0), 1)
        for step in (1, 2, 3, 4):
            checkpoints.save(state_at(step, devices), step)
    assert {p.name for p in (tmp_path / 'checkpoints').iterdir()} == {'3', '4'}
    with Checkpoints(tmp_path, max_to_keep=2) as checkpoints:
        assert (checkpoints.latest_step(), checkpoints.best_step()) == (4, 1)
        assert_equal(checkpoints.restore_best(state_at(0, devices), devices), state_at(1, devices, 5.0))


def test_a_better_one_replaces_the_best(tmp_path):
    devices = parallel.choose_devices(1)
    with Checkpoints(tmp_path, 1) as checkpoints:
        for step in (2, 5):
            checkpoints.save_best(state_at(step, devices), step)
    assert {p.name for p in (tmp_path / 'best').iterdir()} == {'5'}


def test_the_newest_promises_that_the_best_is_there(tmp_path):
    devices = parallel.choose_devices(1)
    with Checkpoints(tmp_path, 1) as checkpoints:
        checkpoints.save_best(state_at(4, devices), 4)
        checkpoints.save(state_at(4, devices), 4)
        assert (tmp_path / 'best' / '4').is_dir()  # committed, before the newest can be


def test_the_best_of_a_dropped_future_is_forgotten(tmp_path):
    devices = parallel.choose_devices(1)
    with Checkpoints(tmp_path, 1) as checkpoints:
        checkpoints.save(state_at(4, devices), 4)
        checkpoints.save_best(state_at(8, devices), 8)
    with Checkpoints(tmp_path, 1) as checkpoints:
        checkpoints.forget_best_after(8)
        assert checkpoints.best_step() == 8
        checkpoints.forget_best_after(4)
        assert checkpoints.best_step() == 0


def empty(directory):
    shutil.rmtree(directory)
    directory.mkdir()


def without_metadata(directory):
    (directory / '_CHECKPOINT_METADATA').unlink()


def without_content(directory):
    shutil.rmtree(directory / 'default')


@pytest.mark.parametrize('damage', [empty, without_metadata, without_content])
@pytest.mark.slow
def test_an_unfinished_directory_is_skipped_with_a_warning(damage, tmp_path, caplog):
    saved(tmp_path, max_to_keep=2)
    damage(tmp_path / 'checkpoints' / '6')
    with caplog.at_level(logging.WARNING):
        assert int(restored(tmp_path).step) == 3
    assert 'is incomplete and is skipped' in caplog.text
    # Nothing is lost, and the step can be saved when it is reached again.
    assert (tmp_path / 'checkpoints' / '6.incomplete').is_dir()
    saved(tmp_path, steps=(6,))
    assert int(restored(tmp_path).step) == 6


@pytest.mark.parametrize('damage', [empty, without_metadata, without_content])
@pytest.mark.parametrize('max_to_keep', [None, 1])
def test_the_only_checkpoint_is_never_given_up_by_itself(max_to_keep, damage, tmp_path):
    saved(tmp_path)
    damage(tmp_path / 'checkpoints' / '6')
    with (
        pytest.raises(DataError, match='/6 is incomplete, and there is no other checkpoint to continue from'),
        Checkpoints(tmp_path, max_to_keep) as checkpoints,
    ):
        checkpoints.latest_step()
    assert files.names(tmp_path / 'checkpoints') == ('6',)


def test_an_orbax_leftover_is_no_checkpoint(tmp_path):
    saved(tmp_path)
    (tmp_path / 'checkpoints' / '9.orbax-checkpoint-tmp').mkdir()
    assert int(restored(tmp_path).step) == 6


def test_a_corrupt_checkpoint_is_an_error_that_names_it(tmp_path):
    saved(tmp_path)
    directory = tmp_path / 'checkpoints' / '6'
    for file in (f for f in directory.rglob('*') if f.is_file() and f.stat().st_size and '/d/' in str(f)):
        file.write_bytes(b'\0' * file.stat().st_size)
    with pytest.raises(DataError, match=f'{directory} cannot be restored.*(\n.*)*or start again in another'):
        restored(tmp_path)
    assert directory.is_dir()


def largest(directory):
    return max((f for f in directory.rglob('*') if f.is_file()), key=lambda file: file.stat().st_size)


@pytest.mark.parametrize('share', [0.2, 0.4, 0.6, 0.8, 0.95])
@pytest.mark.parametrize('shapes', [False, True])
def test_a_flipped_bit_is_found(share, shapes, tmp_path):
    saved(tmp_path)
    path = largest(tmp_path / 'checkpoints' / '6' / 'default')
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 4
    path.write_bytes(data)
    devices = parallel.choose_devices(1)
    template = state_at(0, devices)
    with (
        Checkpoints(tmp_path) as checkpoints,
        pytest.raises(DataError, match='/6 cannot be restored') as error,
    ):
        checkpoints.restore(jax.eval_shape(lambda: template) if shapes else template, devices)
    assert error.value.exit_code == 2


def metadata(workdir, step=6):
    return workdir / 'checkpoints' / str(step) / '_CHECKPOINT_METADATA'


def test_an_array_that_is_not_what_was_saved_is_named(tmp_path):
    saved(tmp_path, max_to_keep=2)
    content = json.loads(metadata(tmp_path).read_text())
    content['custom_metadata']['checksums']['params/Dense_0/bias'] = 'float32[4] 00000000'
    metadata(tmp_path).write_text(json.dumps(content))
    message = '1 of its arrays differ from what was saved: params/Dense_0/bias\n.*which continues from step 3'
    with pytest.raises(DataError, match=message):
        restored(tmp_path)


def test_an_array_that_is_not_listed_is_missed(tmp_path):
    saved(tmp_path)
    content = json.loads(metadata(tmp_path).read_text())
    content['custom_metadata']['checksums']['metrics/lost'] = 'float32[] 00000000'
    metadata(tmp_path).write_text(json.dumps(content))
    with pytest.raises(DataError, match='its index is not what was saved: metrics/lost'):
        restored(tmp_path)


def test_a_step_under_another_name_is_refused(tmp_path):
    saved(tmp_path)
    (tmp_path / 'checkpoints' / '6').rename(tmp_path / 'checkpoints' / '7')
    with pytest.raises(DataError, match='/7 cannot be restored: it is of step 6'):
        restored(tmp_path)


def test_a_checkpoint_without_checksums_is_restored_and_said(tmp_path, caplog):
    saved(tmp_path)
    content = json.loads(metadata(tmp_path).read_text())
    content['custom_metadata'] = {}
    metadata(tmp_path).write_text(json.dumps(content))
    with caplog.at_level(logging.INFO, 'resizemix_jax'):
        assert int(restored(tmp_path).step) == 6
    assert '6 has no checksums (its version wrote none): it is not checked' in caplog.text


def test_metadata_that_orbax_cannot_read_is_a_sentence(tmp_path):
    saved(tmp_path)
    text = metadata(tmp_path).read_text()
    metadata(tmp_path).write_text(text.replace('performance_metrics', 'rerformance_metrics'))
    with pytest.raises(DataError, match='checkpoints cannot be listed, one is damaged'):
        restored(tmp_path)


def test_a_save_is_read_back_before_the_one_before_it_is_deleted(tmp_path):
    devices = parallel.choose_devices(1)
    checkpoints = Checkpoints(tmp_path, 1)
    checkpoints.save(state_at(3, devices), 3, wait=True)
    checkpoints.save(state_at(6, devices), 6)
    checkpoints._newest._manager.wait_until_finished()
    assert files.names(tmp_path / 'checkpoints') == ('3', '6')
    path = largest(tmp_path / 'checkpoints' / '6' / 'default')
    path.write_bytes(path.read_bytes()[:-10] + b'0123456789')
    with pytest.raises(
        RunError, match='step 6 does not read back as it was written: .* is left as .*6.damaged'
    ):
        checkpoints.settle()
    assert files.names(tmp_path / 'checkpoints') == ('3', '6.damaged')
    assert int(restored(tmp_path).step) == 3


@pytest.mark.slow
def test_what_is_kept_is_never_deleted(tmp_path):
    devices = parallel.choose_devices(1)
    for begin in (1, 4):  # also by a later session
        with Checkpoints(tmp_path, 1) as checkpoints:
            for step in range(begin, begin + 3):
                checkpoints.save(state_at(step, devices), step, keep=step % 2 == 0)
    assert files.names(tmp_path / 'checkpoints') == ('2', '4', '6')


def test_what_is_recorded_comes_back(tmp_path):
    devices = parallel.choose_devices(1)
    with Checkpoints(tmp_path, 1) as checkpoints:
        assert checkpoints.record() == {}
        checkpoints.save(state_at(3, devices), 3, {'rows': {'a': 1}}, wait=True)
        assert checkpoints.record()['rows'] == {'a': 1}


def test_a_reader_takes_the_newer_state_if_its_own_is_replaced_meanwhile(tmp_path, monkeypatch):
    saved(tmp_path, steps=(3,))
    devices = parallel.choose_devices(1)
    match, calls = leaves.match, []

    def replaced(path, *args):
        """The run saves the next step and deletes this one, just before it is read."""
        calls.append(path.name)
        if len(calls) == 1:
            saved(tmp_path, steps=(6,))
        return match(path, *args)

    monkeypatch.setattr(leaves, 'match', replaced)
    with Checkpoints(tmp_path) as checkpoints:
        assert int(checkpoints.restore(state_at(0, devices), devices).step) == 6
    assert calls == ['3', '6']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda leaf: None, r'params/Dense_0/bias is float32\[4\] there and absent here'),
        (lambda leaf: jnp.zeros(5), r'params/Dense_0/bias is float32\[4\] there and float32\[5\] here'),
        (lambda leaf: jnp.zeros(4, jnp.bfloat16), r'.*is float32\[4\] there and bfloat16\[4\] here'),
        (lambda leaf: {'more': leaf}, r'params/Dense_0/bias/more is absent there and float32\[4\] here'),
    ],
)
@pytest.mark.parametrize('shapes', [False, True])
def test_a_checkpoint_of_another_network_is_an_error(shapes, change, message, tmp_path):
    saved(tmp_path)
    devices = parallel.choose_devices(1)
    state = state_at(0, devices)
    layer = state.params['Dense_0']
    params = {**state.params, 'Dense_0': {**layer, 'bias': change(layer['bias'])}}
    template = state.replace(params=params)
    if shapes:
        template = jax.eval_shape(lambda: template)
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(DataError, match=f'another network: {message}'):
        checkpoints.restore(template, devices)


@pytest.mark.slow
def test_what_an_older_version_did_not_save_is_taken_from_the_new_state(tmp_path, caplog):
    saved(tmp_path)
    devices = parallel.choose_devices(1)
    state = state_at(0, devices)
    extended = state.replace(
        metrics=state.metrics | {'added': jnp.float32(2.0)}, more={'average': {'kernel': jnp.ones(3)}}
    )
    with caplog.at_level(logging.INFO, 'resizemix_jax'), Checkpoints(tmp_path, 1) as checkpoints:
        found = checkpoints.restore(extended, devices)
    assert_equal(found, state_at(6, devices).replace(metrics=extended.metrics, more=extended.more))
    assert 'taken from a new state: metrics/added, more/average/kernel' in caplog.text
    # To look at: the metrics are not needed, the average is.
    template = jax.eval_shape(lambda: extended)
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.raises(DataError, match='more/average/kernel is absent there'):
            checkpoints.restore(template, devices)
        found = checkpoints.restore(template.replace(more={}), devices)
    assert found.metrics['added'] == 0.0 and int(found.step) == 6


def test_what_the_state_no_longer_has_is_left_out(tmp_path, caplog):
    devices = parallel.choose_devices(1)
    state = state_at(6, devices)
    with Checkpoints(tmp_path, 1) as checkpoints:
        checkpoints.save(state.replace(more={'average': jnp.ones(3)}), 6)
    with caplog.at_level(logging.INFO, 'resizemix_jax'):
        assert_equal(restored(tmp_path), state)
    assert 'not in the state, left out: more/average' in caplog.text


def test_only_the_fields_that_a_template_has_are_read(tmp_path):
    saved(tmp_path)
    devices = parallel.choose_devices(1)
    template = jax.eval_shape(lambda: state_at(0, devices)).replace(opt_state={}, metrics={})
    with Checkpoints(tmp_path) as checkpoints:
        found = checkpoints.restore(template, devices)
    assert_equal(found, state_at(6, devices).replace(opt_state={}, metrics={}))


def test_reading_changes_nothing_in_the_workdir(tmp_path):
    """Its run may be training: a directory that Orbax is deleting looks incomplete."""
    with Checkpoints(tmp_path / 'absent') as checkpoints:
        assert (checkpoints.latest_step(), checkpoints.best_step()) == (0, 0)
    assert not (tmp_path / 'absent').exists()
    saved(tmp_path, max_to_keep=2)
    without_metadata(tmp_path / 'checkpoints' / '6')
    before = sorted(tmp_path.rglob('*'))
    with Checkpoints(tmp_path) as checkpoints:
        devices = parallel.choose_devices(1)
        assert int(checkpoints.restore(state_at(0, devices), devices).step) == 3
    assert sorted(tmp_path.rglob('*')) == before


def test_an_error_while_saving_is_raised(tmp_path, monkeypatch):
    # Orbax's threads wait so long for each other after an error, and the process for them; else five minutes.
    monkeypatch.setattr(multihost, 'coordination_timeout', lambda: 2)
    devices = parallel.choose_devices(1)
    checkpoints = Checkpoints(tmp_path, 1)
    checkpoints.save(state_at(1, devices), 1, wait=True)
    directory = pathlib.Path(tmp_path / 'checkpoints')
    shutil.rmtree(directory)
    directory.write_text('a file where the directory was')
    with pytest.raises(Exception, match=r'.'):
        checkpoints.save(state_at(2, devices), 2)
        checkpoints.close()


@pytest.mark.slow
def test_saving_asks_the_preemption_service_nothing(tmp_path, monkeypatch):
    """It would take the step for a turn of the loop, and a SIGTERM that comes then would be lost."""
    asked = []
    monkeypatch.setattr(multihost_utils, 'reached_preemption_sync_point', asked.append)
    saved(tmp_path)
    assert asked == [] and restored(tmp_path).step == 6
