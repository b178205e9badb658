"""The launchers: what they would run, their restarts, GPUs, Kubernetes, Slurm and sweeps."""

import pathlib
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

from tests import launching
from tests.launching import ROOT, SAVES, TAU, TRAIN, wait_for

machine = pytest.fixture(launching.machine)


SCRIPTS = sorted(p.name for p in (ROOT / 'launch').iterdir() if p.suffix in ('.sh', '.sbatch'))


@pytest.mark.parametrize('script', SCRIPTS)
def test_shellcheck(script):
    command = [pathlib.Path(sys.executable).parent / 'shellcheck', '-x', f'launch/{script}']
    found = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=60)
    assert found.returncode == 0, found.stdout


def test_the_dockerfile_passes_its_linter_and_copies_what_there_is():
    linter = pathlib.Path(sys.executable).parent / 'hadolint'
    found = subprocess.run([linter, ROOT / 'launch/Dockerfile'], text=True, capture_output=True, timeout=60)
    assert found.returncode == 0, found.stdout
    for line in (ROOT / 'launch/Dockerfile').read_text().splitlines():
        if line.startswith('COPY'):
            assert all((ROOT / source).exists() for source in line.split()[1:-1]), line


@pytest.mark.parametrize('script', [s for s in SCRIPTS if s not in ('common.sh', 'environment.sh')])
def test_the_rules_of_a_script(script, machine):
    text = (ROOT / 'launch' / script).read_text()
    assert text.startswith('#!/usr/bin/env bash\n# ')
    assert '\nset -euo pipefail\n' in text
    done = machine.run(script, '--help')
    assert done.returncode == 0
    assert f'launch/{script}' in done.stderr
    assert '--dry_run' in done.stderr


@pytest.mark.parametrize('words', [(), ('destroy',), ('--creat',)])
@pytest.mark.parametrize('script', ['tpu_vm.sh', 'gke.sh', 'worker.sh'])
def test_an_unknown_verb_is_refused_with_the_usage(script, words, machine):
    done = machine.run(script, *words)
    assert done.returncode == 2
    assert f'bash launch/{script} [--dry_run] VERB' in done.stderr
    assert machine.calls() == []


def test_scripts_that_need_arguments_say_so(machine):
    for script in ('gpu.sh', 'sweep.sh', 'slurm.sbatch'):
        done = machine.run(script)
        assert done.returncode == 2
        assert f'launch/{script}' in done.stderr
    assert machine.run('sweep.sh', 'table99').returncode == 2
    assert machine.run('slurm.sbatch', *TRAIN).returncode == 2  # without Slurm
    assert machine.run('gke.sh', 'run', *TRAIN).returncode == 2  # without an image
    assert machine.run('tpu_vm.sh', 'create', CAPACITY='free').returncode == 2
    assert machine.calls() == []


# What is wrong in a variable is refused before anything runs.

WRONG = [
    ('gpu.sh', TRAIN, 'MAX_RESTARTS', 'abc'),
    ('gpu.sh', TRAIN, 'MAX_RESTARTS', '1e3'),
    ('gpu.sh', TRAIN, 'MAX_RESTARTS', '-1'),
    ('gpu.sh', TRAIN, 'MAX_RESTARTS', '010'),
    ('gpu.sh', TRAIN, 'MAX_RESTARTS', '9' * 20),
    ('gpu.sh', TRAIN, 'RESTART_DELAY', 'soon'),
    ('gpu.sh', TRAIN, 'JAX_EXTRA', 'cuda12] evil'),
    ('quickstart.sh', [], 'MAX_RESTARTS', 'a[$(touch $D/done)]'),
    ('sweep.sh', ['table3'], 'MAX_RESTARTS', 'a[$(touch $D/done)]'),
    ('slurm.sbatch', TRAIN, 'MAX_RESTARTS', 'a[$(touch $D/done)]'),
    ('worker.sh', ['start', *TRAIN], 'GRACE', 'abc'),
    ('worker.sh', ['stop'], 'GRACE', 'a[$(touch $D/done)]'),
    ('worker.sh', ['setup'], 'BUCKET', "my'bucket"),
    ('tpu_vm.sh', ['run', *TRAIN], 'HOSTS', 'four'),
    ('tpu_vm.sh', ['run', *TRAIN], 'HOSTS', '0'),
    ('tpu_vm.sh', ['run', *TRAIN], 'FORWARD', 'x[$(touch $D/done)]'),
    ('tpu_vm.sh', ['run', *TRAIN], 'FORWARD', 'BUCKET *'),
    ('tpu_vm.sh', ['create'], 'NAME', "it's"),
    ('tpu_vm.sh', ['create'], 'NAME', '--all'),
    ('tpu_vm.sh', ['create'], 'ZONE', 'here; touch $D/done'),
    ('tpu_vm.sh', ['create'], 'TYPE', 'v5litepod-8 --spot'),
    ('tpu_vm.sh', ['create'], 'CAPACITY', 'free'),
    ('tpu_vm.sh', ['create'], 'QUEUED', 'maybe'),
    ('tpu_vm.sh', ['logs'], 'WORKER', 'first'),
    ('gke.sh', ['run', *TRAIN], 'SLICES', '2.5'),
    ('gke.sh', ['run', *TRAIN], 'GRACE', 'abc'),
    ('gke.sh', ['run', *TRAIN], 'NAME', '"x"'),
    ('gke.sh', ['run', *TRAIN], 'IMAGE', 'a b'),
    ('gke.sh', ['create'], 'CAPACITY', 'free'),
]


@pytest.mark.parametrize('dry', [[], ['--dry_run']])
@pytest.mark.parametrize(('script', 'words', 'name', 'value'), WRONG)
def test_a_wrong_variable_is_a_sentence(script, words, name, value, dry, machine):
    env = {'IMAGE': 'i', 'SLURM_JOB_ID': '7', 'SLURM_SUBMIT_DIR': str(ROOT)} | {name: value}
    machine.python(75)
    done = machine.run(script, *dry, *words, **env)
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith(name) and 'must be' in done.stderr
    assert done.stdout == '' and machine.calls() == [] and not (machine.path / 'done').exists()


def test_the_gpu_is_asked_for(machine):
    machine.fake('venv/bin/python', 'case $1 in -*) exit 0 ;; esac\necho "$JAX_PLATFORMS" >>"$D/platforms"')
    machine.fake('bin/srun', 'echo "$JAX_PLATFORMS" >>"$D/platforms"')
    machine.run('gpu.sh', *TRAIN)
    machine.run('gpu.sh', *TRAIN, JAX_PLATFORMS='cpu')
    machine.run('slurm.sbatch', *TRAIN, SLURM_JOB_ID='7', SLURM_SUBMIT_DIR=str(ROOT))
    assert (machine.path / 'platforms').read_text().split() == ['cuda,cpu', 'cpu', 'cuda,cpu']


# The restarts.


def test_gpu_begins_again_on_75_and_ends_with_0(machine):
    machine.python(75, 75, 0)
    done = machine.run('gpu.sh', *TRAIN)
    assert done.returncode == 0
    install, *runs = [call for call in machine.calls() if call[1] != '-c']
    assert install[-1] == 'jax[cuda12]'
    assert runs == [['python', 'main.py', *TRAIN]] * 3
    assert done.stderr.count('restart') == 2


@pytest.mark.parametrize('code', [1, 2, 3, 137])
def test_another_code_ends_it(code, machine):
    machine.python(75, code, 0)
    assert machine.run('gpu.sh', *TRAIN).returncode == code
    assert machine.calls()[-1] == ['python', 'main.py', *TRAIN]
    assert len((machine.path / 'calls').read_text()) == 2


def test_restarts_are_bounded(machine):
    machine.python(75, 75, 75, 75)
    assert machine.run('gpu.sh', *TRAIN, MAX_RESTARTS='2').returncode == 75
    assert len((machine.path / 'calls').read_text()) == 3


def test_sigterm_reaches_the_run_which_saves_and_is_not_begun_again(machine):
    machine.fake('venv/bin/python', SAVES)
    with subprocess.Popen(['bash', 'launch/gpu.sh', *TRAIN], cwd=ROOT, env=machine.env) as process:
        wait_for((machine.path / 'ready').exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 75
    assert (machine.path / 'saved').exists()
    assert machine.calls().count(['python', 'main.py', *TRAIN]) == 1


@pytest.mark.slow
def test_a_script_that_is_changed_under_its_run_is_not_read_on(machine):
    shutil.copytree(ROOT / 'launch', machine.path / 'launch')
    changes = 'case $1 in -*) exit 0 ;; esac\nfor f in gpu worker; do echo touch again >>launch/$f.sh; done'
    machine.fake('venv/bin/python', changes)
    for words in (['gpu.sh', *TRAIN], ['worker.sh', 'start', *TRAIN], ['worker.sh', 'logs']):
        subprocess.run(
            ['bash', f'launch/{words[0]}', *words[1:]], cwd=machine.path, env=machine.env, check=True
        )
    assert not (machine.path / 'again').exists()


# Kubernetes, Slurm, sweeps.


def test_gke_starts_a_workload_that_begins_again_on_75(machine):
    env = {'IMAGE': 'registry/it', 'STORAGE': 's', 'TFDS_DATA_DIR': '/d', 'SLICES': '2', 'MAX_RESTARTS': '7'}
    assert machine.run('gke.sh', 'run', *TRAIN, **env).returncode == 0
    (call,) = machine.calls()
    assert call[:3] == ['xpk', 'workload', 'create']
    expected = {
        '--docker-image=registry/it', '--storage=s', '--env=TFDS_DATA_DIR=/d', '--num-slices=2',
        '--max-restarts=7', '--restart-on-exit-codes=75', '--tpu-type=v5litepod-16',
    }  # fmt: skip
    assert expected <= set(call)
    command = call[-1].removeprefix('--command=')
    assert shlex.split(command) == ['exec', 'python', 'main.py', '--multihost', *TRAIN]


def slurm(machine, codes, body='', **env):
    machine.fake('bin/srun', f'{body}\nexit {codes}')
    where = {'SLURM_JOB_ID': '7', 'SLURM_SUBMIT_DIR': str(ROOT)}
    return machine.run('slurm.sbatch', *TRAIN, **where, **env)


def test_slurm_starts_one_process_a_gpu_and_requeues_on_75(machine):
    assert machine.dry('slurm.sbatch', *TRAIN)[0][0] == 'srun'
    assert slurm(machine, 75).returncode == 75
    started, requeued = machine.calls()
    python = f'{machine.env["VENV"]}/bin/python'
    assert started == [
        'srun',
        '--kill-on-bad-exit=0',
        '--gpu-bind=none',
        python,
        'main.py',
        '--multihost',
        *TRAIN,
    ]
    assert requeued == ['scontrol', 'requeue', '7']
    text = (ROOT / 'launch/slurm.sbatch').read_text()
    assert '\n#SBATCH --signal=TERM@60\n' in text
    assert '\n#SBATCH --requeue\n' in text


@pytest.mark.parametrize('code', [0, 1, 2, 3])
def test_slurm_does_not_requeue_otherwise(code, machine):
    assert slurm(machine, code).returncode == code
    assert [call[0] for call in machine.calls()] == ['srun']


def test_slurm_does_not_requeue_what_was_cancelled_or_requeued_enough(machine):
    assert (
        slurm(machine, 75, 'trap "" TERM; kill -TERM $PPID; sleep 0.2').returncode == 75
    )  # the shell gets it too
    assert slurm(machine, 75, SLURM_RESTART_COUNT='100').returncode == 75
    assert [call[0] for call in machine.calls()] == ['srun', 'srun']


def test_sweep_is_the_command_of_the_mode(machine):
    machine.python(75, 0)
    done = machine.run('sweep.sh', 'table3:recipe=released', '--rows=cutmix', '--seeds=2', WORKDIR='w')
    assert done.returncode == 0
    words = [
        '--config=configs/table3.py:recipe=released',
        '--mode=sweep',
        '--workdir=w',
        '--rows=cutmix',
        '--seeds=2',
    ]
    assert machine.calls() == [['python', 'main.py', *words]] * 2


@pytest.mark.slow
def test_a_dry_sweep_lists_the_runs(machine):
    env = {'VENV': str(machine.path / 'none'), 'PYTHON': sys.executable}
    lines = machine.dry(
        'sweep.sh', 'table3', '--rows=resizemix', '--columns=wrn28_10', '--seeds=2', TAU, **env
    )
    assert [line[0] for line in lines] == ['run:', 'run:']
    assert all(TAU in line for line in lines)


def test_the_first_scripts_have_dry_runs_too(machine):
    words = ['main.py', '--config=configs/quickstart.py', '--workdir=runs/quickstart', TAU]
    assert machine.dry('quickstart.sh', TAU)[-1][1:] == words
    assert [words[1] for words in machine.dry('test.sh')] == ['-m', '-m', 'check', 'format', '-m']
