"""Damages workdirs and trains in them: what is not refused must end as a run that nothing damaged.

    python -m tests.campaigns.damaged_workdirs [--damages=200] [--seed=0]

Half of the workdirs are of a run that was stopped at step 9 of 12, half of one that is finished. A file or a
directory of it is deleted, cut, overwritten, has a bit flipped, a line deleted, doubled or changed, or
something else in its place. Then the run's own command is given again. It is counted as

    refused     a sentence and an exit code
    right       the result of a run that nothing damaged; if it was stopped, also its rows and its state
    said        an end after a warning
    silent      something else
    traceback   an error of another kind

Exit code 1 if any is silent or a traceback.
"""

import argparse
import collections
import contextlib
import json
import logging
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile

import jax
import numpy as np

from resizemix_jax import train
from resizemix_jax.errors import PreemptedError, RunError
from resizemix_jax.input import pipeline
from tests import tiny
from tests.test_train import TIMES, final_state, rows

STOP = 9


def delete(path, rng):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def become_a_file(path, rng):
    delete(path, rng)
    path.write_text('')


def become_a_directory(path, rng):
    delete(path, rng)
    path.mkdir()


def become_a_loop(path, rng):
    delete(path, rng)
    path.symlink_to(path)


def be_renamed(path, rng):
    """Another name; a step becomes another step."""
    path.rename(path.with_name(str(int(path.name) + 1) if path.name.isdecimal() else f'{path.name}_'))


def cut(path, rng):
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data))])


def flip(path, rng):
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def zero(path, rng):
    path.write_bytes(b'\0' * path.stat().st_size)


def overwrite(path, rng):
    path.write_bytes(rng.choice([b'{}', b'[]', b'null', b'1', b'\xff\xfe', b'{"x": 1}', rng.randbytes(100)]))


def change_a_digit(path, rng):
    text = path.read_text('latin-1')
    places = [k for k, character in enumerate(text) if character.isdigit()] or [0]
    place = rng.choice(places)
    path.write_text(f'{text[:place]}{(ord(text[place]) + 1) % 10}{text[place + 1 :]}', 'latin-1')


def lose_a_line(path, rng):
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    path.write_bytes(b''.join(lines))


def double_a_line(path, rng):
    lines = path.read_bytes().splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    path.write_bytes(b''.join(lines))


ANY = (delete, become_a_file, become_a_directory, become_a_loop, be_renamed)
FILE = (cut, flip, zero, overwrite, change_a_digit, lose_a_line, double_a_line)


def damage(workdir, rng):
    """Damages something in a workdir; says what and how."""
    paths = [p for p in workdir.rglob('*') if p.name != '.lock' and (p.is_dir() or p.stat().st_size)]
    top = [path for path in paths if path.parent == workdir and path.is_file()]
    path = rng.choice(top if rng.random() < 0.5 else sorted(paths))
    kind = rng.choice(ANY if path.is_dir() or rng.random() < 0.25 else FILE)
    kind(path, rng)
    return path.relative_to(workdir), kind.__name__


class Warnings(logging.Handler):
    """Collects what is said at warning level or above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def outcome(workdir, unbroken):
    """(what training in a workdir comes to, the sentence that was said)."""
    stopped = not (workdir / 'result.json').exists()
    said = Warnings()
    logging.getLogger('resizemix_jax').addHandler(said)
    try:
        result = train.train_and_evaluate(tiny.config(), workdir)
    except RunError as error:
        return 'refused', str(error)
    except Exception as error:
        return 'traceback', f'{type(error).__name__}: {error}'
    finally:
        logging.getLogger('resizemix_jax').removeHandler(said)
    if said.texts:
        return 'said', said.texts[0]
    same = result_of(result) == unbroken[0]
    if same and (not stopped or (rows(workdir), state_of(workdir)) == unbroken[1:]):
        return 'right', ''
    return 'silent', ''


def result_of(result):
    result = {
        key: value for key, value in result.items() if key not in (*TIMES, 'identity', 'rows', 'unread_keys')
    }
    return json.loads(json.dumps(result))


def state_of(workdir):
    state, best = final_state(workdir, tiny.config())
    return [np.asarray(leaf).tobytes() for leaf in state], best


@contextlib.contextmanager
def terminated_at(step):
    made = pipeline.train_batch

    def train_batch(split, batch_size, seed, place, share):
        if place == step - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return made(split, batch_size, seed, place, share)

    pipeline.train_batch = train_batch
    try:
        yield
    finally:
        pipeline.train_batch = made


def campaign(damages, seed):
    """outcome -> number."""
    rng = random.Random(seed)
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        stopped, finished, damaged = (
            pathlib.Path(scratch, name) for name in ('stopped', 'finished', 'damaged')
        )
        result = train.train_and_evaluate(tiny.config(), finished)
        unbroken = result_of(result), rows(finished), state_of(finished)
        with contextlib.suppress(PreemptedError), terminated_at(STOP):
            train.train_and_evaluate(tiny.config(), stopped)
        for number in range(damages):
            shutil.rmtree(damaged, ignore_errors=True)
            shutil.copytree(finished if number % 2 else stopped, damaged)
            what, how = damage(damaged, rng)
            found, words = outcome(damaged, unbroken)
            counts[found] += 1
            print(
                f'{number + 1}: {"finished" if number % 2 else "stopped"}: {how} {what}: {found}: {words}',
                flush=True,
            )
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--damages', type=int, default=200)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:  # every run has the same programs
        jax.config.update('jax_compilation_cache_dir', cache)
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.1)
        counts = campaign(args.damages, args.seed)
    print(', '.join(f'{name}: {count}' for name, count in sorted(counts.items())))
    sys.exit(bool(counts['silent'] or counts['traceback']))


if __name__ == '__main__':
    main()
