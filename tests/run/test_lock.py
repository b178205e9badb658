import fcntl
import json
import os
import subprocess
import sys
import textwrap
import time

import pytest

from resizemix_jax.errors import ConfigError, RunError
from resizemix_jax.run import files, lock

HOLD = """
    import pathlib, sys
    from resizemix_jax.run import lock
    with lock.lock(pathlib.Path(sys.argv[1])):
        print('locked', flush=True)
        sys.stdin.read()
"""
ELSEWHERE = {'host': 'other', 'pid': 7, 'since': '2026-01-01T00:00:00', 'machine': 'other', 'token': 'x'}


@pytest.fixture
def soon(monkeypatch):
    """Signatures in tenths of seconds."""
    monkeypatch.setattr(lock, 'BEAT', 0.05)
    monkeypatch.setattr(lock, 'SILENCE', 0.5)


@pytest.fixture(params=['kernel', 'alone', 'none'])
def kind(request, monkeypatch):
    """What the file system has of locks: the kernel's, those of one host only, or none."""
    if request.param == 'alone':
        monkeypatch.setattr(fcntl, 'flock', lambda descriptor, operation: None)
    if request.param == 'none':

        def flock(descriptor, operation):
            raise OSError(37, 'No locks available')

        monkeypatch.setattr(fcntl, 'flock', flock)
    return request.param


def test_a_lock_is_one_process_s_until_it_dies(tmp_path):
    path = tmp_path / '.lock'
    command = [sys.executable, '-c', textwrap.dedent(HOLD), str(path)]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen(command, **pipes) as holder:
        assert holder.stdout.readline() == 'locked\n'
        said = json.loads(path.read_text())
        owner = f'process {said["pid"]} on {said["host"]} since {said["since"][:16]}'
        busy = f'{tmp_path} is in use by {owner}.*; wait'
        with pytest.raises(ConfigError, match=busy) as error, lock.lock(path):
            pass
        assert error.value.exit_code == 2
        holder.kill()
    begin = time.monotonic()
    with lock.lock(path), pytest.raises(ConfigError, match='in use'), lock.lock(path):
        pass
    with lock.lock(path):
        pass
    assert time.monotonic() - begin < lock.SILENCE / 2  # the dead one was known at once
    assert json.loads(path.read_text()) == {}


def test_an_owner_on_another_machine_that_signs_is_alive(soon, kind, tmp_path):
    path = tmp_path / '.lock'
    path.write_text(json.dumps(ELSEWHERE | {'beat': 1}))
    signing = f'import json, time; time.sleep(0.2); open({str(path)!r}, "w").write({json.dumps(ELSEWHERE)!r})'
    with (
        subprocess.Popen([sys.executable, '-S', '-c', signing]),
        pytest.raises(ConfigError, match='in use by process 7 on other since 2026-01-01T00:00:00'),
        lock.lock(path),
    ):
        pass


def test_an_owner_on_another_machine_that_is_silent_is_dead(soon, kind, tmp_path, caplog):
    path = tmp_path / '.lock'
    path.write_text(json.dumps(ELSEWHERE))
    with lock.lock(path):
        assert json.loads(path.read_text())['pid'] == os.getpid()
    assert 'process 7 on other since 2026-01-01T00:00:00 shows no sign of life' in caplog.text


def test_an_owner_learns_that_it_lost_its_directory(soon, tmp_path):
    path = tmp_path / 'run' / '.lock'
    path.parent.mkdir()
    with lock.lock(path) as owner:
        owner.check()
        path.parent.rename(tmp_path / 'moved')
        with pytest.raises(RunError, match=f'{path.parent} was deleted, moved or unmounted'):
            owner.check()
    with lock.lock(tmp_path / '.lock') as owner:
        (tmp_path / '.lock').write_text(json.dumps(ELSEWHERE))
        until = time.monotonic() + 10
        with pytest.raises(RunError, match='was taken over by process 7 on other'):
            while time.monotonic() < until:
                owner.check(look=False)
                time.sleep(0.01)
    assert json.loads((tmp_path / '.lock').read_text()) == ELSEWHERE  # the new owner's


def test_a_machine_is_known_without_proc(monkeypatch, tmp_path):
    monkeypatch.setattr(lock, 'BOOT', tmp_path / 'absent')
    with lock.lock(tmp_path / '.lock'):
        assert files.LockFile(tmp_path / '.lock').held is False
