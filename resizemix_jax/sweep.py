"""Many runs, one after the other, each a process of its own: what ends one does not end the rest."""

import logging
import pathlib
import shlex
import subprocess
import time
from typing import NamedTuple

from resizemix_jax.config import differences
from resizemix_jax.devices.preemption import Watch
from resizemix_jax.errors import PreemptedError
from resizemix_jax.report import runs
from resizemix_jax.run import workdir

log = logging.getLogger(__name__)

POLL = 0.2  # seconds


class Job(NamedTuple):
    """A run to make: its directory, its config as the directory will store it, and its command."""

    workdir: str
    config: dict
    command: list


class Outcome(NamedTuple):
    """What became of the jobs: how many were made, how many were there before, and exit codes of the rest."""

    made: int
    before: int
    failed: dict

    def __str__(self):
        lines = [f'Runs made: {self.made}, finished before: {self.before}, failed: {len(self.failed)}']
        return '\n'.join([*lines, *(f'    {path}: exit code {code}' for path, code in self.failed.items())])


def plan(jobs):
    """What would be done, as text: a line a job."""
    words = {'finished': 'finished, skipped:', 'begun': 'continue:', 'new': 'run:'}
    return '\n'.join(f'{words[state(job)]} {shlex.join(job.command)}' for job in jobs)


def state(job):
    """'finished', if the directory holds a result of the same config; 'begun', if any run; or 'new'."""
    path = pathlib.Path(job.workdir)
    if not (path / workdir.CONFIG).exists():
        return 'new'
    run, _ = runs.read(path)
    same = run and not differences(run.config, job.config)
    return 'finished' if same and run.result else 'begun'


def run_all(jobs):
    """Makes the runs that are not finished; a run that was begun continues, as its own command does.

    Returns:
        An Outcome.

    Raises:
        PreemptedError: on SIGTERM, which the run at work is handed and saves at, or on Ctrl-C.
    """
    before, failed = 0, {}
    for number, job in enumerate(jobs, 1):
        if state(job) == 'finished':
            before += 1
            continue
        log.info('Run %d of %d: %s', number, len(jobs), shlex.join(job.command))
        code = _run(job.command)
        if code == PreemptedError.exit_code:
            raise PreemptedError(f'stopped in run {number} of {len(jobs)}; the same command continues there')
        if code:
            log.error('%s ended with exit code %d; the sweep goes on', job.workdir, code)
            failed[job.workdir] = code
    return Outcome(len(jobs) - before - len(failed), before, failed)


def _run(command):
    """The exit code of a command that gets this process's SIGTERM; a stopped one counts as saved."""
    with Watch() as watch, subprocess.Popen(command) as process:
        try:
            while process.poll() is None:
                if watch.requested:
                    process.terminate()
                    process.wait()
                    return PreemptedError.exit_code
                time.sleep(POLL)
        except KeyboardInterrupt:  # which the terminal has sent to the run as well
            process.wait()
            return PreemptedError.exit_code
    return process.returncode
