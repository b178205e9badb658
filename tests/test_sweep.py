"""A sweep's jobs, with commands that are cheaper than trainings."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

from resizemix_jax import command, modes, sweep
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError, PreemptedError, RunError
from resizemix_jax.run.lock import lock
from tests import made_up
from tests.command import ROOT
from tests.configs.tables import TABLES


def job(path, argument, code='pass', needs=()):
    config = configs.stored(TABLES['table3'].get_config(argument))
    return sweep.Job(str(path), [sys.executable, '-c', code], config, tuple(map(str, needs)))


def touch(path):
    return f'import pathlib; pathlib.Path({str(path)!r}).touch()'


@pytest.fixture
def jobs(tmp_path):
    finished = made_up.run(tmp_path, 'row=cutmix', [0.5])
    begun = made_up.run(tmp_path, 'row=baseline', [0.5], finished=False)
    return [
        job(finished, 'row=cutmix', touch(tmp_path / 'again')),
        job(tmp_path / 'bad', 'row=aa', 'import os; os._exit(3)'),
        job(begun, 'row=baseline', touch(tmp_path / 'continued')),
        job(tmp_path / 'new', 'row=aa', touch(tmp_path / 'made')),
    ]


@pytest.mark.slow
def test_finished_jobs_are_skipped_and_a_failed_one_does_not_end_the_others(jobs, tmp_path):
    outcome = sweep.run_all(jobs)
    assert outcome == (2, 1, {str(tmp_path / 'bad'): 'exit code 3'})
    made = {name: (tmp_path / name).exists() for name in ('again', 'continued', 'made')}
    assert made == {'again': False, 'continued': True, 'made': True}
    assert str(outcome).splitlines() == [
        'Jobs run: 2, finished before: 1, failed: 1', f'    {tmp_path}/bad: exit code 3',
    ]  # fmt: skip


def test_a_plan_starts_nothing(jobs, tmp_path):
    lines = sweep.plan(jobs).splitlines()
    assert [line.split(':')[0] for line in lines] == ['finished, skipped', 'run', 'continue', 'run']
    assert not (tmp_path / 'made').exists()


def test_a_finished_run_of_another_config_is_not_skipped(tmp_path):
    path = made_up.run(tmp_path, 'row=cutmix', [0.5], epochs=3)
    assert sweep.state(job(path, 'row=cutmix')) == 'begun'  # its own command refuses, and says why
    (path / 'config.json').write_text('{')
    assert sweep.state(job(path, 'row=cutmix')) == 'begun'


def test_a_failed_job_fails_those_that_need_it_and_no_others(tmp_path, caplog):
    bad, student, last, free = (tmp_path / name for name in ('bad', 'student', 'last', 'free'))
    outcome = sweep.run_all([
        job(bad, 'row=aa', 'import os; os._exit(3)'),
        job(student, 'row=cutmix', touch(tmp_path / 'no'), needs=[free, bad]),
        job(last, 'row=cutmix', touch(tmp_path / 'no'), needs=[student]),
        job(free, 'row=cutmix', touch(tmp_path / 'yes'), needs=[tmp_path / 'other']),
    ])  # fmt: skip
    assert outcome.run == 1 and outcome.failed == {
        str(bad): 'exit code 3',
        str(student): f'not started, since it needs {bad}, which was not made',
        str(last): f'not started, since it needs {student}, which was not made',
    }
    assert (tmp_path / 'yes').exists() and not (tmp_path / 'no').exists()
    assert f'{student}: not started, since it needs {bad}, which was not made' in caplog.text


def test_a_finished_job_stays_finished_if_one_that_it_needed_fails(tmp_path):
    done = made_up.run(tmp_path, 'row=cutmix', [0.5])
    bad = job(tmp_path / 'bad', 'row=aa', 'import os; os._exit(3)')
    assert sweep.run_all([bad, job(done, 'row=cutmix', needs=[bad.target])]) == (
        0, 1, {bad.target: 'exit code 3'},
    )  # fmt: skip


def test_a_run_of_another_process_is_reported_with_its_owner_and_what_needs_it_is_left(tmp_path):
    """As in a second sweep over the same directory."""
    taken, student = made_up.run(tmp_path, 'row=aa', [0.5], finished=False), tmp_path / 'student'
    refused = 'import sys; sys.exit(2)'
    with lock(taken / '.lock'):
        outcome = sweep.run_all([
            job(taken, 'row=aa', refused), job(student, 'row=cutmix', touch(tmp_path / 'no'), needs=[taken]),
        ])  # fmt: skip
    owner = f'is in use by process {os.getpid()} on {socket.gethostname()} since '
    assert outcome.failed[str(taken)].startswith(owner)
    assert outcome.failed[str(student)] == f'not started, since it needs {taken}, which was not made'
    assert not (tmp_path / 'no').exists()
    assert sweep.run_all([job(taken, 'row=aa', refused)]).failed == {str(taken): 'exit code 2'}


def test_a_run_that_another_sweep_finished_meanwhile_is_no_failure(tmp_path):
    path = tmp_path / 'x'
    made = made_up.run(tmp_path, 'row=aa', [0.5], name='elsewhere')
    code = f'import shutil, sys; shutil.copytree({str(made)!r}, {str(path)!r}); sys.exit(2)'
    assert sweep.run_all([job(path, 'row=aa', code)]) == (0, 1, {})


def test_a_directory_that_cannot_be_looked_at_is_left_to_its_own_command(tmp_path):
    (tmp_path / 'loop').symlink_to('loop')
    long = tmp_path / ('x' * 300)
    for path in (tmp_path / 'loop' / 'run', long):
        assert sweep.state(job(path, 'row=aa')) in ('new', 'begun')
    assert sweep.run_all([job(long, 'row=aa', 'import sys; sys.exit(2)')]).failed == {
        str(long): 'exit code 2'
    }


def test_a_job_that_makes_something_of_a_run_is_finished_when_that_is_there(tmp_path):
    making = sweep.Job(str(tmp_path / 'generated'), [sys.executable, '-c', touch(tmp_path / 'generated')])
    assert sweep.state(making) == 'new' and sweep.run_all([making]) == (1, 0, {})
    assert sweep.state(making) == 'finished' and sweep.run_all([making]) == (0, 1, {})


def test_a_run_that_was_stopped_ends_the_sweep(tmp_path):
    stopped = job(tmp_path / 'x', 'row=aa', 'import sys; sys.exit(75)')
    after = job(tmp_path / 'y', 'row=aa', touch(tmp_path / 'no'))
    with pytest.raises(PreemptedError, match='stopped in job 1 of 2; the same command'):
        sweep.run_all([stopped, after])
    assert not (tmp_path / 'no').exists()


CHILD = (
    'import pathlib, signal, sys, time\n'
    'from resizemix_jax.devices import leaving\n'
    'def save(*_): pathlib.Path({0!r}, "saved").touch(); sys.exit(75)\n'
    'signal.signal(signal.SIGTERM, save)\n'
    'leaving.follow_parent()\n'
    'pathlib.Path({0!r}, "ready").touch()\n'
    'time.sleep(60)\n'
)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.slow
def test_the_run_ends_with_the_sweep(number, tmp_path):
    """It saves, on one signal, also if the sweep itself cannot do anything any more."""
    command = f'[sys.executable, "-c", {CHILD.format(str(tmp_path))!r}]'
    code = (
        'import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n'
        'signal.signal(signal.SIGHUP, signal.SIG_DFL)\n'
        'from resizemix_jax import sweep\n'
        'from resizemix_jax.errors import PreemptedError\n'
        f'jobs = [sweep.Job({str(tmp_path)!r} + "/" + name, {command}) for name in "xy"]\n'
        'try: sweep.run_all(jobs)\n'
        'except PreemptedError as error: sys.exit(error.exit_code)\n'
    )
    root = pathlib.Path(__file__).parents[1]
    with subprocess.Popen([sys.executable, '-c', code], cwd=root, start_new_session=True) as process:
        try:
            wait_for(tmp_path / 'ready')
            process.send_signal(number)
            assert process.wait(60) == (-signal.SIGKILL if number == signal.SIGKILL else 75)
            wait_for(tmp_path / 'saved')
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(path):
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert path.exists()


def swept(monkeypatch, *flags):
    """What a sweep of configs/related.py at the small scale prints."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, 'argv', ['main.py'])
    words = ['main.py', '--config=configs/related.py:scale=small', '--mode=sweep', *flags]
    return modes.sweep(command.read(words)[1])


def test_the_plan_of_a_table_has_needed_runs_first_and_once(tmp_path, monkeypatch):
    flags = [
        f'--workdir={tmp_path}', '--rows=supermix,baseline', '--columns=cifar10', '--seeds=2', '--dry_run'
    ]  # fmt: skip
    lines = swept(monkeypatch, *flags).splitlines()
    assert [line.split(':')[0] for line in lines] == ['run'] * 6
    for seed in (0, 1):
        teacher = f'{tmp_path}/related_baseline_small_wrn10_1_fashion_mnist_10k_seed{seed}'
        first, second, third = (line.split(' main.py ')[1] for line in lines[3 * seed : 3 * seed + 3])
        argument = f'dataset=cifar10,scale=small,seed={seed}'
        assert first == f'--config=configs/related.py:row=baseline,{argument} --workdir={teacher}'
        assert second == f'{first} --mode=generate'
        assert third.startswith(f'--config=configs/related.py:row=supermix,{argument} ')
        assert f'--config.data_dir={teacher}/generated ' in third
    (tmp_path / 'related_baseline_small_wrn10_1_fashion_mnist_10k_seed0' / 'generated').mkdir(parents=True)
    lines = swept(monkeypatch, *flags).splitlines()
    assert [line.split(':')[0] for line in lines] == ['run', 'finished, skipped', *['run'] * 4]


@pytest.mark.slow
def test_overrides_are_checked_before_the_first_run(tmp_path, monkeypatch):
    """The first row takes this one; the second needs a run that does not."""
    flags = ['--config.mixing_args.tau=(0.1, 0.2)', f'--workdir={tmp_path}', '--rows=resizemix,supermix']
    with pytest.raises(ConfigError, match="row=baseline,.*mixing='none' has no argument 'tau'"):
        swept(monkeypatch, *flags)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_teacher_that_fails_fails_its_student_with_a_sentence(tmp_path, monkeypatch):
    flags = [f'--workdir={tmp_path}', '--columns=cifar10', '--config.num_devices=99', '--rows=supermix']
    with pytest.raises(RunError) as error:
        swept(monkeypatch, *flags)
    teacher, student = (
        f'{tmp_path}/related_{row}_small_wrn10_1_fashion_mnist_10k_seed0' for row in ('baseline', 'supermix')
    )
    lines = str(error.value).splitlines()
    assert lines[:4] == [
        'Jobs run: 0, finished before: 0, failed: 3',
        f'    {teacher}: exit code 2',
        f'    {teacher}/generated: not started, since it needs {teacher}, which was not made',
        f'    {student}: not started, since it needs {teacher}/generated, which was not made',
    ]
    assert lines[4].startswith('No report: ')
