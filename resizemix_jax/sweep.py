"""Many runs, one after the other, each in a process of its own: a run that fails does not end the others."""

import logging
import os
import pathlib
import shlex
import subprocess
import time
from typing import NamedTuple

from resizemix_jax.devices.leaving import LIFELINE
from resizemix_jax.devices.preemption import Watch
from resizemix_jax.errors import ConfigError, PreemptedError, RunError
from resizemix_jax.key_groups import differences
from resizemix_jax.report import runs
from resizemix_jax.run import files, workdir
from resizemix_jax.run.lock import lock

log = logging.getLogger(__name__)

POLL = 0.2  # seconds


class Job(NamedTuple):
    """A command to run.

    Attributes:
        target: the workdir of the run, or the file or directory that is made from one.
        words: of the command.
        config: of the run, as its workdir will store it; None if the target is no workdir.
        needs: targets of earlier jobs, without which it cannot run.
    """

    target: str
    words: list
    config: dict | None = None
    needs: tuple = ()


class Outcome(NamedTuple):
    """The ends of the jobs: how many were run, and were finished before; target -> why it failed."""

    run: int
    before: int
    failed: dict

    def __str__(self):
        lines = [f'Jobs run: {self.run}, finished before: {self.before}, failed: {len(self.failed)}']
        return '\n'.join([*lines, *(f'    {target}: {reason}' for target, reason in self.failed.items())])


def plan(jobs):
    """What would be run, as text: a line per job."""
    words = {'finished': 'finished, skipped:', 'begun': 'continue:', 'new': 'run:'}
    return '\n'.join(f'{words[state(job)]} {shlex.join(job.words)}' for job in jobs)


def state(job):
    """'finished', if the target is there (a workdir: with a result of the same config); 'begun'; or 'new'."""
    path = pathlib.Path(job.target)
    try:
        there = files.exists(path if job.config is None else path / workdir.CONFIG)
    except RunError:
        return 'begun'  # its own command says why
    if job.config is None or not there:
        return 'finished' if there else 'new'
    run, _ = runs.read(path)
    same = run and not differences(run.config, job.config)
    return 'finished' if same and run.result else 'begun'


def run_all(jobs):
    """Runs the jobs that are not finished; a run that was begun continues, as its own command does.

    Returns:
        An Outcome. A job that needs a failed one is not started, and has failed too.

    Raises:
        PreemptedError: on SIGTERM, SIGINT or SIGHUP, which the current run gets as SIGTERM so that it saves.
    """
    before, failed = 0, {}
    with Watch() as watch:
        for number, job in enumerate(jobs, 1):
            if state(job) == 'finished':
                before += 1
                continue
            missing = [need for need in job.needs if need in failed]
            if missing:
                failed[job.target] = f'not started, since it needs {missing[0]}, which was not made'
                log.error('%s: %s', job.target, failed[job.target])
                continue
            log.info('Job %d of %d: %s', number, len(jobs), shlex.join(job.words))
            code = PreemptedError.exit_code if watch.requested else _run(job.words, watch)
            if code == PreemptedError.exit_code:
                raise PreemptedError(
                    f'stopped in job {number} of {len(jobs)}; the same command continues there'
                )
            if code and state(job) == 'finished':  # by another sweep, meanwhile
                before += 1
            elif code:
                failed[job.target] = owner(job) or f'exit code {code}'
                log.error('%s: %s; the sweep continues', job.target, failed[job.target])
    return Outcome(len(jobs) - before - len(failed), before, failed)


def owner(job):
    """That another process trains in a job's workdir, e.g. of a second sweep, in words; or ''.

    To be asked once the job's own command has failed: for a moment, this takes the lock itself.
    """
    path = pathlib.Path(job.target) / workdir.LOCK
    try:
        if job.config is not None and files.exists(path):
            with lock(path):
                pass
    except ConfigError as error:
        return str(error).removeprefix(f'{job.target} ')
    except RunError:
        pass
    return ''


def _run(words, watch):
    """The exit code of a command that gets this process's SIGTERM; of a stopped one, that of a saved one.

    The command also gets one end of a pipe. If this process is killed, the pipe breaks and the command stops.
    """
    theirs, ours = os.pipe()
    environment = os.environ | {LIFELINE: str(theirs)}
    with open(ours, 'wb'), subprocess.Popen(words, env=environment, pass_fds=(theirs,)) as process:
        os.close(theirs)
        try:
            while process.poll() is None:
                if watch.requested:
                    process.terminate()
                    process.wait()
                    return PreemptedError.exit_code
                time.sleep(POLL)
        except KeyboardInterrupt:  # the second Ctrl-C
            process.kill()
            raise
    return process.returncode
