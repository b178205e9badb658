"""A directory of its own for a launcher, with programs that only note how they were called."""

import os
import pathlib
import shlex
import subprocess
import time

ROOT = pathlib.Path(__file__).parents[1]
TAU = '--config.mixing_args.tau=(0.1, 0.8)'
TRAIN = ['--config=configs/table3.py:row=resizemix', TAU, "--workdir=/shared/it's mine"]
SAVES = """
case $1 in -*) exit 0 ;; esac
trap 'sleep 0.3; touch "$D/saved"; exit 75' TERM
touch "$D/ready"
while :; do sleep 0.05; done
"""


def wait_for(happened, seconds=30):
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, 'it did not happen'
        time.sleep(0.05)


class Machine:
    """A directory of its own: `bin` goes first on PATH, `notes` holds what was called there."""

    def __init__(self, path):
        self.path, self.notes = path, path / 'notes'
        self.env = {'PATH': f'{path}/bin:{os.environ["PATH"]}', 'HOME': str(path), 'RESTART_DELAY': '0'}
        self.env |= {'VENV': str(path / 'venv'), 'D': str(path), 'POLL': '0', 'TMPDIR': str(path)}

    def fake(self, where, body=''):
        """A program that notes how it was called, then does `body`."""
        file = self.path / where
        file.parent.mkdir(parents=True, exist_ok=True)
        note = 'printf "%s\\n" "$(basename "$0")" "$@" END >>"$D/notes"'
        file.write_text(f'#!/usr/bin/env bash\n{note}\n{body}\n')
        file.chmod(0o755)

    def python(self, *codes):
        """A Python that ends with these codes, one call after the other; pip and -c are no calls."""
        self.fake(
            'venv/bin/python',
            f'case $1 in -*) exit 0 ;; esac\necho >>"$D/calls"\nset -- {" ".join(map(str, codes))}\n'
            'n=$(wc -l <"$D/calls")\nexit "${!n}"',
        )

    def calls(self):
        """Every call so far, as a list of words."""
        if not self.notes.exists():
            return []
        parts = self.notes.read_text().split('END\n')[:-1]
        return [part.splitlines() for part in parts]

    def run(self, script, *words, **env):
        return subprocess.run(
            ['bash', f'launch/{script}', *words], cwd=ROOT, env=self.env | env, text=True,
            capture_output=True, timeout=60,
        )  # fmt: skip

    def dry(self, script, *words, **env):
        """The commands of a dry run, each split as a shell would; nothing must have been called."""
        done = self.run(script, '--dry_run', *words, **env)
        assert done.returncode == 0, done.stderr
        assert self.calls() == []
        return [shlex.split(line) for line in done.stdout.splitlines()]


def machine(tmp_path):
    """Its programs that no test may really call."""
    made = Machine(tmp_path)
    for name in ('gcloud', 'xpk', 'kubectl', 'srun', 'scontrol', 'sudo', 'gcsfuse', 'curl', 'uv'):
        made.fake(f'bin/{name}', 'exit 99' if name in ('curl', 'sudo') else '')
    return made
