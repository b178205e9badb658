"""A sweep's jobs, with commands that are cheaper than trainings."""

import json
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from configs import table3
from resizemix_jax import sweep
from resizemix_jax.errors import PreemptedError
from tests import made_up


def job(path, argument, code='pass'):
    config = json.loads(table3.get_config(argument).to_json())
    return sweep.Job(str(path), config, [sys.executable, '-c', code])


@pytest.fixture
def jobs(tmp_path):
    finished = made_up.run(tmp_path, 'row=cutmix', [0.5])
    begun = made_up.run(tmp_path, 'row=baseline', [0.5], finished=False)
    touch = 'import pathlib; pathlib.Path({!r}).touch()'
    return [
        job(finished, 'row=cutmix', touch.format(str(tmp_path / 'again'))),
        job(tmp_path / 'bad', 'row=aa', 'import os; os._exit(3)'),
        job(begun, 'row=baseline', touch.format(str(tmp_path / 'continued'))),
        job(tmp_path / 'new', 'row=aa', touch.format(str(tmp_path / 'made'))),
    ]


def test_what_is_finished_is_skipped_and_what_fails_does_not_end_the_rest(jobs, tmp_path):
    outcome = sweep.run_all(jobs)
    assert outcome == (2, 1, {str(tmp_path / 'bad'): 3})
    made = {name: (tmp_path / name).exists() for name in ('again', 'continued', 'made')}
    assert made == {'again': False, 'continued': True, 'made': True}
    assert str(outcome).splitlines() == [
        'Runs made: 2, finished before: 1, failed: 1', f'    {tmp_path}/bad: exit code 3',
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


def test_a_run_that_was_stopped_ends_the_sweep(tmp_path):
    stopped = job(tmp_path / 'x', 'row=aa', 'import sys; sys.exit(75)')
    after = job(tmp_path / 'y', 'row=aa', f'import pathlib; pathlib.Path({str(tmp_path / "no")!r}).touch()')
    with pytest.raises(PreemptedError, match='stopped in run 1 of 2; the same command'):
        sweep.run_all([stopped, after])
    assert not (tmp_path / 'no').exists()


CHILD = (
    'import pathlib, signal, sys, time\n'
    'def save(*_): pathlib.Path({0!r}, "saved").touch(); sys.exit(75)\n'
    'signal.signal(signal.SIGTERM, save)\n'
    'pathlib.Path({0!r}, "ready").touch()\n'
    'time.sleep(60)\n'
)


def test_sigterm_reaches_the_run(tmp_path):
    command = f'[sys.executable, "-c", {CHILD.format(str(tmp_path))!r}]'
    code = (
        'from resizemix_jax import sweep\n'
        'from resizemix_jax.errors import PreemptedError\nimport sys\n'
        f'job = sweep.Job({str(tmp_path / "x")!r}, {{}}, {command})\n'
        'try: sweep.run_all([job])\n'
        'except PreemptedError as error: sys.exit(error.exit_code)\n'
    )
    root = pathlib.Path(__file__).parents[1]
    with subprocess.Popen([sys.executable, '-c', code], cwd=root) as process:
        until = time.monotonic() + 60
        while not (tmp_path / 'ready').exists() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 75
    assert (tmp_path / 'saved').exists()
