"""Runs in the background of a worker, and TPU VMs: a gcloud that keeps states in files."""

import shlex
import shutil
import subprocess

import pytest

from tests import launching
from tests.launching import ROOT, SAVES, TAU, TRAIN, wait_for

machine = pytest.fixture(launching.machine)


# In the background of a worker.


@pytest.mark.slow
def test_a_worker_runs_in_the_background_until_done(machine):
    machine.python(75, 3)
    assert machine.run('worker.sh', 'status').stdout == 'nothing was started\n'
    assert machine.run('worker.sh', 'start', *TRAIN).returncode == 0
    done = machine.run('worker.sh', 'logs')  # waits for the end
    assert done.returncode == 3
    assert 'restart 1' in done.stdout
    assert shlex.quote(TAU) in done.stdout
    assert machine.calls() == [['python', 'main.py', *TRAIN]] * 2
    assert machine.run('worker.sh', 'status').stdout.startswith('ended with exit code 3\n')


@pytest.mark.parametrize(
    ('env', 'platforms'),
    [({}, ''), ({'JAX_EXTRA': 'tpu'}, 'tpu,cpu'), ({'JAX_EXTRA': 'tpu', 'JAX_PLATFORMS': 'cpu'}, 'cpu')],
)
@pytest.mark.slow
def test_the_accelerator_that_a_worker_was_set_up_for_is_asked_for(env, platforms, machine):
    machine.fake('venv/bin/python', 'echo "${JAX_PLATFORMS:-}" >>"$D/platforms"')
    machine.run('worker.sh', 'start', *TRAIN, **env)
    machine.run('worker.sh', 'logs')
    assert (machine.path / 'platforms').read_text() == f'{platforms}\n'


@pytest.mark.slow
def test_start_ends_an_earlier_run_which_saves(machine):
    machine.fake('venv/bin/python', SAVES)
    machine.run('worker.sh', 'start', *TRAIN)
    wait_for((machine.path / 'ready').exists)
    (machine.path / 'ready').unlink()
    first = (machine.path / '.resizemix/pid').read_text()
    assert machine.run('worker.sh', 'status').stdout.startswith('running')
    machine.run('worker.sh', 'start', *TRAIN)
    assert (machine.path / 'saved').exists()
    wait_for((machine.path / 'ready').exists)
    assert (machine.path / '.resizemix/pid').read_text() != first
    assert machine.run('worker.sh', 'stop').returncode == 0
    assert machine.run('worker.sh', 'status').stdout.startswith('ended with exit code 75\n')
    assert machine.run('worker.sh', 'stop').stdout == 'No run is at work\n'


@pytest.mark.slow
def test_a_run_that_does_not_save_is_killed_and_another_process_is_left_alone(machine):
    machine.fake('venv/bin/python', 'trap "" TERM\ntouch $D/ready\nwhile :; do sleep 0.05; done')
    machine.run('worker.sh', 'start', *TRAIN)
    wait_for((machine.path / 'ready').exists)
    machine.run('worker.sh', 'stop', GRACE='1')
    assert machine.run('worker.sh', 'status').stdout.startswith('killed')
    with subprocess.Popen(['sleep', '60'], start_new_session=True) as other:  # whose pid the file holds now
        (machine.path / '.resizemix/pid').write_text(f'{other.pid}\n')
        assert machine.run('worker.sh', 'stop', GRACE='1').stdout == 'No run is at work\n'
        assert other.poll() is None
        other.terminate()


def test_setup_of_a_worker(machine):
    made = machine.dry('worker.sh', 'setup', BUCKET='mine', MOUNT='/mnt/my data')
    assert made[0] == ['uv', 'python', 'install', '3.12']
    assert made[1] == ['python3', '-m', 'venv', machine.env['VENV']]
    assert made[2][-5:] == ['-r', 'requirements.txt', '-c', 'requirements.lock', 'jax[tpu]']
    assert made[-1][0] == 'gcsfuse'
    assert made[-1][-2:] == ['mine', '/mnt/my data']
    assert len(machine.dry('worker.sh', 'setup')) == 3


MOUNTPOINT = 'test -f "$D/mounted"'


@pytest.mark.parametrize('env', [{'BUCKET': 'mine'}, {'MOUNT': '/mnt/mine'}])
def test_a_worker_does_not_start_while_its_bucket_is_not_mounted(env, machine):
    machine.python(0)
    machine.fake('bin/mountpoint', MOUNTPOINT)
    done = machine.run('worker.sh', 'start', *TRAIN, **env)
    mount = env.get('MOUNT', '/mnt/bucket')
    assert done.returncode == 2 and done.stderr.startswith(f'{mount} is not mounted, so nothing is started')
    assert machine.calls() == [['mountpoint', '-q', mount]]
    assert machine.run('worker.sh', 'status').stdout == 'nothing was started\n'


@pytest.mark.slow
def test_what_setup_mounted_is_looked_for_before_every_start(machine):
    machine.fake('bin/mountpoint', MOUNTPOINT)
    machine.fake('venv/bin/python', 'case $1 in -*) exit 0 ;; esac\nrm "$D/mounted"\nexit 75')
    (machine.path / 'mounted').touch()
    machine.fake('bin/uv', 'echo python3')
    assert machine.run('worker.sh', 'setup', BUCKET='mine', MOUNT='/mnt/my data').returncode == 0
    assert machine.run('worker.sh', 'start', *TRAIN).returncode == 0
    done = machine.run('worker.sh', 'logs')
    assert done.returncode == 2  # of the restart
    assert '/mnt/my data is not mounted, so nothing is started' in done.stdout
    assert machine.calls().count(['python', 'main.py', *TRAIN]) == 1


# TPU VMs. This gcloud keeps the states of both kinds in files; ssh runs the command in $D/home.
GCLOUD = r"""
kind=$3 verb=$4 name=$5
case $verb in
  describe)
    case "$*" in *networkEndpoints*) cat "$D/hosts"; exit ;; esac
    if [ -f "$D/broken" ]; then echo 'ERROR: PERMISSION_DENIED' >&2; exit 1; fi
    if [ ! -f "$D/$kind" ]; then echo "ERROR: NOT_FOUND: Resource $name was not found" >&2; exit 1; fi
    cat "$D/$kind"
    echo 'WARNING: an update is there' >&2 ;;
  create) case $kind in queued*) echo ACTIVE >"$D/$kind" ;; esac; echo READY >"$D/tpu-vm" ;;
  delete) rm "$D/$kind"; case $kind in queued*) rm -f "$D/tpu-vm" ;; esac ;;
  scp) cp "$name" "$D/home" ;;
  ssh) cd "$D/home" && bash -c "${7#--command=}" ;;
esac
"""


@pytest.fixture
def cloud(machine):
    machine.fake('bin/gcloud', GCLOUD)
    (machine.path / 'home').mkdir()
    return machine


def verbs(machine):
    return [' '.join(call[3:5]) for call in machine.calls() if call[0] == 'gcloud']


def test_create_is_idempotent(cloud):
    assert cloud.run('tpu_vm.sh', 'create').returncode == 0
    assert verbs(cloud) == ['tpu-vm describe', 'tpu-vm create']
    done = cloud.run('tpu_vm.sh', 'create')
    assert (done.returncode, done.stdout) == (0, 'resizemix exists already: READY\n')
    assert verbs(cloud) == ['tpu-vm describe', 'tpu-vm create', 'tpu-vm describe']


def test_a_preempted_tpu_is_made_anew_and_a_stopped_one_started(cloud):
    (cloud.path / 'tpu-vm').write_text('PREEMPTED\n')
    assert cloud.run('tpu_vm.sh', 'create').returncode == 0
    assert verbs(cloud)[-2:] == ['tpu-vm delete', 'tpu-vm create']
    (cloud.path / 'tpu-vm').write_text('STOPPED\n')
    cloud.run('tpu_vm.sh', 'create')
    assert verbs(cloud)[-1] == 'tpu-vm start'


def test_create_waits_in_the_queue(cloud):
    assert cloud.run('tpu_vm.sh', 'create', QUEUED='yes', CAPACITY='spot').stdout == 'resizemix: ACTIVE\n'
    made = next(call for call in cloud.calls() if call[4] == 'create')
    assert {'--spot', '--node-id=resizemix', '--runtime-version=v2-alpha-tpuv5-lite'} <= set(made)
    (cloud.path / 'tpu-vm').unlink()
    (cloud.path / 'queued-resources').write_text('SUSPENDED\n')  # what is left when it was preempted
    assert cloud.run('tpu_vm.sh', 'create', QUEUED='yes').returncode == 0
    after = [v for v in verbs(cloud) if 'describe' not in v]
    assert after == ['queued-resources create', 'queued-resources delete', 'queued-resources create']


def test_delete_is_idempotent_and_deletes_both(cloud):
    cloud.run('tpu_vm.sh', 'create', QUEUED='yes')
    assert cloud.run('tpu_vm.sh', 'delete').returncode == 0
    assert not (cloud.path / 'queued-resources').exists()
    assert not (cloud.path / 'tpu-vm').exists()
    done = cloud.run('tpu_vm.sh', 'delete')
    assert (done.returncode, done.stdout) == (0, 'There is no resizemix in us-west4-a: nothing to delete\n')


def test_an_error_that_is_not_absence_is_not_taken_for_it(cloud):
    (cloud.path / 'broken').touch()
    for verb in ('create', 'delete', 'status'):
        done = cloud.run('tpu_vm.sh', verb)
        assert done.returncode == 1
        assert 'PERMISSION_DENIED' in done.stderr
    assert set(verbs(cloud)) <= {'tpu-vm describe', 'queued-resources describe'}


@pytest.mark.parametrize(('hosts', 'flags'), [('1', []), ('4', ['--multihost'])])
@pytest.mark.slow
def test_run_reaches_python_on_all_workers_word_for_word(hosts, flags, cloud):
    (cloud.path / 'hosts').write_text(hosts)
    (cloud.path / 'tpu-vm').write_text('READY\n')
    shutil.copytree(ROOT / 'launch', cloud.path / 'home/resizemix-jax/launch')
    cloud.python(75, 0)
    done = cloud.run('tpu_vm.sh', 'run', *TRAIN)
    assert done.returncode == 0, done.stderr
    ssh = cloud.calls()[1]
    assert '--worker=all' in ssh
    assert '--zone=us-west4-a' in ssh
    assert cloud.run('tpu_vm.sh', 'logs').returncode == 0
    runs = [call for call in cloud.calls() if call[0] == 'python']
    assert runs == [['python', 'main.py', *flags, *TRAIN]] * 2
    assert 'ended with exit code 0' in cloud.run('tpu_vm.sh', 'status').stdout
    assert cloud.run('tpu_vm.sh', 'stop').stdout == 'No run is at work\n'


@pytest.mark.slow
def test_setup_copies_the_repository_as_it_is(cloud):
    if subprocess.run(
        ['git', '-C', ROOT, 'ls-files', '--error-unmatch', 'main.py'], capture_output=True
    ).returncode:
        pytest.skip('not a git work tree, and setup copies what git tracks')
    cloud.fake('venv/bin/python')
    cloud.fake('bin/uv', 'echo python3')
    done = cloud.run('tpu_vm.sh', 'setup')
    assert done.returncode == 0, done.stderr
    copied = cloud.path / 'home/resizemix-jax'
    assert (copied / 'launch/tpu_vm.sh').read_bytes() == (ROOT / 'launch/tpu_vm.sh').read_bytes()
    assert not (copied / '.git').exists()
    assert all('--worker=all' in call for call in cloud.calls() if call[0] == 'gcloud')
    assert cloud.calls()[-1][-1] == 'jax[tpu]'


def test_only_what_git_tracks_is_copied_and_nothing_of_a_path_is_executed(cloud):
    repository = cloud.path / "it's"
    shutil.copytree(ROOT / 'launch', repository / 'launch')
    git = ['git', '-c', 'user.name=a', '-c', 'user.email=a@b', '-C', str(repository)]
    subprocess.run([*git, 'init', '-q'], check=True)
    subprocess.run([*git, 'add', '.'], check=True)
    (repository / '.env').write_text('SECRET=1')
    (repository / 'launch/common.sh').open('a').write('# changed\n')
    odd = cloud.path / "a'; touch done; '"
    odd.mkdir()
    cloud.fake('venv/bin/python')
    cloud.fake('bin/uv', 'echo python3')
    done = subprocess.run(
        ['bash', 'launch/tpu_vm.sh', 'setup'], cwd=repository, env=cloud.env | {'TMPDIR': str(odd)},
        text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    copied = cloud.path / 'home/resizemix-jax'
    assert (copied / 'launch/common.sh').read_text().endswith('# changed\n')
    assert not (copied / '.env').exists() and not (copied / '.git').exists()
    assert 'Not copied, since git does not track them' in done.stderr and '.env' in done.stderr
    assert not list(odd.iterdir()) and not (repository / 'done').exists()
    archive = next(call for call in cloud.calls() if call[4:5] == ['scp'])[5]
    assert archive.startswith(f'{odd}/resizemix-jax.') and archive.endswith('/resizemix-jax.tar.gz')


def test_the_variables_of_a_tpu_are_honoured(machine):
    env = {'PROJECT': 'p', 'ZONE': 'z', 'NAME': 'n', 'TYPE': 'v6e-16', 'CAPACITY': 'reserved'}
    (described, made) = machine.dry('tpu_vm.sh', 'create', **env)
    assert described[4:6] == ['describe', 'n']
    assert made[1:6] == ['compute', 'tpus', 'tpu-vm', 'create', 'n']
    rest = {'--accelerator-type=v6e-16', '--reserved', '--version=v2-alpha-tpuv6e', '--zone=z', '--project=p'}
    assert set(made[6:]) == rest
    assert '--version=v2-mine' in machine.dry('tpu_vm.sh', 'create', VERSION='v2-mine')[-1]
    assert machine.run('tpu_vm.sh', 'create', TYPE='v9-8').returncode == 2
    (ran,) = machine.dry('tpu_vm.sh', 'run', *TRAIN, HOSTS='1', TFDS_DATA_DIR='/my data')
    (command,) = (word.removeprefix('--command=') for word in ran if word.startswith('--command='))
    words = shlex.split(command)
    assert words[:3] == ['cd', 'resizemix-jax', '&&']
    assert 'TFDS_DATA_DIR=/my data' in words
    assert words[-len(TRAIN) - 3 :] == ['bash', 'launch/worker.sh', 'start', *TRAIN]
    assert '--worker=2' in machine.dry('tpu_vm.sh', 'logs', WORKER='2')[0]


@pytest.mark.parametrize('verb', ['create', 'setup', 'run', 'status', 'logs', 'stop', 'delete'])
def test_a_dry_run_of_every_verb_names_the_zone(verb, machine):
    for words in machine.dry('tpu_vm.sh', verb, ZONE='here'):
        assert words[0] != 'gcloud' or '--zone=here' in words
    if verb not in ('setup', 'logs'):
        (words,) = machine.dry('gke.sh', verb, ZONE='here', IMAGE='i')
        assert words[0] == 'xpk'
        assert '--zone=here' in words
