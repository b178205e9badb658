import json
import os
import signal
import socket
import time

import numpy as np
import pytest

from configs import fake
from resizemix_jax import config as configs
from resizemix_jax import errors, train
from resizemix_jax.devices import processes
from tests import hosts
from tests.input import directories, miniature
from tests.test_train import final_state, rows

NAMES = processes.ADDRESS, processes.COUNT, processes.INDEX


def config():
    """What hosts.TINY says."""
    made = fake.get_config('size=8,classes=4')
    made.dataset_args.update(train_size=67, eval_size=37)
    configs.override(made, {'model': 'tests.small'})
    made.batch_size, made.eval_batch_size, made.epochs, made.log_every_steps = 16, 16, 3, 3
    return made


def assert_close(one, two):
    """Equal but for the order in which the sums over the devices are taken."""
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.fixture(scope='module')
def alone(tmp_path_factory):
    """One process, eight devices."""
    workdir = tmp_path_factory.mktemp('alone')
    train.train_and_evaluate(config(), workdir)
    return workdir


@pytest.fixture(scope='module')
def both(tmp_path_factory):
    """Two processes of four devices."""
    workdir = tmp_path_factory.mktemp('both')
    codes, outputs = hosts.finish(hosts.start(workdir, *hosts.TINY, '--config.logger=tests.loggers.lines'))
    assert codes == [0, 0], outputs
    return workdir


@pytest.mark.slow
def test_one_process_gives_the_rows_to_the_logger(both):
    given = [int(line) for line in (both / 'lines.txt').read_text().split()]
    assert given == [row['step'] for row in rows(both)]


@pytest.mark.slow
def test_two_processes_train_as_one_does(alone, both):
    assert_close(final_state(both, config())[0], final_state(alone, config())[0])
    ours, theirs = rows(both), rows(alone)
    assert [row['step'] for row in ours] == [row['step'] for row in theirs]
    for one, two in zip(ours, theirs, strict=True):
        assert one == pytest.approx(two, abs=1e-3)
    ours, theirs = (json.loads((w / 'result.json').read_text()) for w in (both, alone))
    assert ours['device'] == '8 x cpu' and ours['flops_per_step'] == theirs['flops_per_step'] > 0
    assert {row['eval_examples'] for row in rows(both) if 'eval_top1' in row} == {37}


@pytest.mark.slow
def test_two_processes_evaluate_what_they_trained(both):
    codes, outputs = hosts.finish(hosts.start(both, *hosts.TINY, '--mode=evaluate'))
    assert codes == [0, 0], outputs
    result = json.loads((both / 'result.json').read_text())
    for output in outputs:
        assert f'last_top1: {100 * result["top1_last"]:.2f} %' in output
        assert f'best_top1: {100 * result["top1_best"]:.2f} %' in output


@pytest.mark.parametrize(('number', 'waits'), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, 1)])
@pytest.mark.slow
def test_one_that_is_told_to_stop_while_it_waits_for_another_ends_at_once(number, waits, tmp_path):
    """With the exit code that launchers start it again for."""
    hosts.skip_if_ignored(number)
    started = hosts.start(tmp_path, *hosts.TINY)
    started[1 - waits].kill()
    hosts.wait_for(started[waits], 'Waiting for ')
    started[waits].send_signal(number)
    codes, outputs = hosts.finish(started)
    assert codes[waits] == 75, outputs
    last = outputs[waits].splitlines()[-1]
    assert last == f'{number.name}: nothing was left to save; the same command continues'


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])  # SIGHUP is as SIGINT
@pytest.mark.slow
def test_one_that_is_told_to_stop_stops_both_and_they_continue_bit_by_bit(number, both, tmp_path):
    hosts.skip_if_ignored(number)
    started = hosts.start(tmp_path, *hosts.TINY)
    hosts.wait_for(started[1], '[3]')
    started[1].send_signal(number)
    started[1].send_signal(signal.SIGTERM)  # again, as some schedulers do
    codes, outputs = hosts.finish(started)
    assert codes == [75, 75], outputs
    assert 'SIGTERM: saved at step' in outputs[0] and not (tmp_path / 'result.json').exists()
    codes, outputs = hosts.finish(hosts.start(tmp_path, *hosts.TINY))
    assert codes == [0, 0] and 'Resuming at step' in outputs[1], outputs
    for one, two in zip(final_state(tmp_path, config())[0], final_state(both, config())[0], strict=True):
        np.testing.assert_array_equal(one, two)
    assert rows(tmp_path) == rows(both)


@pytest.mark.parametrize('killed', [0, 1])
@pytest.mark.slow
def test_one_that_dies_ends_the_other_and_one_process_goes_on(killed, alone, tmp_path):
    started = hosts.start(tmp_path, *hosts.TINY)
    hosts.wait_for(started[killed], '[8] eval_examples')
    os.kill(started[killed].pid, signal.SIGKILL)
    codes, outputs = hosts.finish(started)
    assert codes[killed] == -signal.SIGKILL and codes[1 - killed] == 75, outputs
    said = outputs[1 - killed]
    assert f'process {killed} ' in said and 'is lost: it died, or its connection broke' in said
    assert 'Traceback' not in said and 'stack trace' not in said
    train.train_and_evaluate(config(), tmp_path)
    assert_close(final_state(tmp_path, config())[0], final_state(alone, config())[0])


@pytest.mark.slow
def test_processes_of_different_configs_refuse_to_start(tmp_path):
    started = hosts.start(tmp_path / 'run', *hosts.TINY, own=['--config.schedule_args.lr=0.5'])
    codes, outputs = hosts.finish(started)
    assert codes == [2, 2], outputs
    assert (
        'schedule_args.lr: 0.1 | 0.5' in outputs[1] and 'process 1: the processes were started' in outputs[0]
    )
    assert not (tmp_path / 'run').exists()


@pytest.mark.slow
def test_what_one_process_lacks_all_are_told(tmp_path):
    directories.write(tmp_path / 'data', 'cifar10', dict(train=67, test=37))
    small = ['--config=configs/table2.py', '--config.model_args.depth=10', '--config.model_args.width=1']
    small += ['--config.batch_size=16']
    here, there = (f'--config.data_dir={tmp_path / name}' for name in ('data', 'empty'))
    codes, outputs = hosts.finish(hosts.start(tmp_path / 'run', *small, here, own=[there]))
    assert codes == [2, 2], outputs
    assert 'DataError: process 1: cifar10 is not prepared in' in outputs[0]
    assert 'DataError: cifar10 is not prepared in' in outputs[1]


@pytest.mark.slow
def test_processes_with_different_data_refuse_to_start(tmp_path):
    """Of as many steps an epoch: without the check both train, and end with 0."""
    directories.write(tmp_path / 'here', 'cifar10', dict(train=67, test=37))
    directories.write(tmp_path / 'there', 'cifar10', dict(train=65, test=37))
    small = ['--config=configs/table2.py', '--config.model_args.depth=10', '--config.model_args.width=1']
    small += ['--config.batch_size=16']
    here, there = (f'--config.data_dir={tmp_path / name}' for name in ('here', 'there'))
    codes, outputs = hosts.finish(hosts.start(tmp_path / 'run', *small, here, own=[there]))
    assert codes == [2, 2], outputs
    host = socket.gethostname()
    for output in outputs:
        assert 'DataError: the hosts have different data:' in output and 'Traceback' not in output
        assert f"size of 'train': 67 on process 0 ({host}), 65 on process 1 ({host})" in output
        assert "of 'eval'" not in output


@pytest.mark.slow
def test_an_error_of_one_process_ends_the_other_with_it(tmp_path):
    """A collective of the other one would wait for it for ever."""
    script = tmp_path / 'own.py'
    script.write_text(
        'import sys\nfrom resizemix_jax import command, errors\nfrom resizemix_jax.run import writers\n'
        'write = writers.Writer.progress\n'
        'def progress(self, step):\n'
        '    if step == 3 and sys.argv[-1] == "--config.workers=2":\n'
        '        raise errors.DataError("a damaged file")\n'
        '    write(self, step)\n'
        'writers.Writer.progress = progress\nsys.exit(command.main())\n'
    )
    started = hosts.start(tmp_path / 'run', *hosts.TINY, own=['--config.workers=2'], script=script)
    codes, outputs = hosts.finish(started)
    assert codes == [2, 2], outputs
    assert 'ended with exit code 2: DataError: a damaged file' in outputs[0]
    assert all('stack trace' not in output for output in outputs)


@pytest.mark.slow
def test_two_processes_stream_imagenet_and_continue_bit_by_bit(tmp_path):
    """Table 4's network, small, on a miniature of TFDS's own files; each process decodes its share."""
    miniature.write(tmp_path / 'data', 'tfrecord')
    flags = (
        '--config=configs/table4.py:row=resizemix,model=resnet50', f'--config.data_dir={tmp_path / "data"}',
        '--config.model_args.depth=14', '--config.model_args.width=8',
        '--config.dataset_args.image_size=32', '--config.workers=1', '--config.batch_size=8',
        '--config.eval_batch_size=8', '--config.epochs=3',
        '--config.log_every_steps=1', '--config.schedule_args.lr=0.01',
    )  # fmt: skip
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    codes, outputs = hosts.finish(hosts.start(whole, *flags, devices=1), seconds=300)
    assert codes == [0, 0], outputs
    started = hosts.start(broken, *flags, devices=1)
    hosts.wait_for(started[0], '[6] train_loss')
    while not (broken / 'checkpoints' / '5').exists():  # it is saved beside the steps that follow
        assert started[0].poll() is None
        time.sleep(0.05)
    for process in started:
        process.kill()
    hosts.finish(started)
    codes, outputs = hosts.finish(hosts.start(broken, *flags, devices=1), seconds=300)
    assert codes == [0, 0] and 'Resuming at step' in outputs[0], outputs
    assert rows(broken) == rows(whole)
    assert {row['eval_examples'] for row in rows(whole) if 'eval_top1' in row} == {23}
    results = [json.loads((path / 'result.json').read_text()) for path in (broken, whole)]
    assert results[0]['steps'] == results[1]['steps'] == 15


def test_alone_nothing_is_asked_of_anyone():
    def refuse():
        raise errors.DataError('none')

    assert processes.first() and processes.run_on_host_0(lambda: 3) == processes.run_on_all(lambda: 3) == 3
    for wrapper in (processes.run_on_host_0, processes.run_on_all):
        with pytest.raises(errors.DataError, match='none'):
            wrapper(refuse)


def test_an_address_must_be_known(monkeypatch):
    monkeypatch.setenv('JAX_COORDINATOR_ADDRESS', 'localhost:1')
    with pytest.raises(errors.ConfigError, match='JAX_NUM_PROCESSES and JAX_PROCESS_ID for each'):
        processes.join(1)


@pytest.mark.parametrize(
    ('address', 'count', 'index', 'words'),
    [
        ('localhost:1', 'four', '0', "invalid literal for int() with base 10: 'four'"),
        ('localhost:1', '2', '2', 'this is process 2 of 2; they are numbered from 0'),
        ('localhost', '2', '1', "'localhost' must be HOST:PORT"),
    ],
)
def test_what_the_environment_says_is_checked(address, count, index, words, monkeypatch):
    for name, value in zip(NAMES, (address, count, index), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(errors.ConfigError) as raised:
        processes.join(1)
    assert str(raised.value).startswith(f'--multihost: cannot join the processes: {words}')
    assert f'{processes.COUNT}={count}' in str(raised.value)


@pytest.mark.slow
def test_a_missing_process_is_an_error_in_the_time_that_is_given(monkeypatch):
    for name, value in zip(NAMES, ('localhost:1', '2', '1'), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(
        errors.ConfigError, match='--multihost: waited 1 s in vain for process 0 at localhost:1'
    ):
        processes.join(1)


@pytest.mark.slow
def test_slurm_says_who_the_others_are(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    here = {'JOB_ID': '7', 'STEP_NODELIST': 'localhost,x', 'NTASKS': '4', 'PROCID': '2', 'LOCALID': '0'}
    for name, value in here.items():
        monkeypatch.setenv(f'SLURM_{name}', value)
    with pytest.raises(
        errors.ConfigError, match='in vain for process 0 at localhost:61447: Connection refused'
    ):
        processes.join(1)


def test_alone_no_data_is_compared():
    processes.check_same_data({'train': {'size': 3}})
