"""Weights & Biases: the real library, offline; what it does online by a library that notes its calls."""

import json
import sys
import time
import types

import PIL.Image
import pytest
from wandb.proto import wandb_internal_pb2

from resizemix_jax.loggers.wandb import wandb
from resizemix_jax.run.writers import Writer
from tests.loggers.recording import run_in

BLOCK = 2**15


def records(directory):
    """The records of an offline run: a log of LevelDB's format, after a header of 7 bytes."""
    (path,) = directory.glob('run-*.wandb')
    data, at, whole = path.read_bytes(), 7, b''
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7 or data[at + 6] == 0:  # the rest of a block is empty
            at += BLOCK - at % BLOCK
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], 'little'), data[at + 6]
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # a whole record, or the end of one
            yield wandb_internal_pb2.Record.FromString(whole)
            whole = b''


def of_kind(directory, kind):
    return [
        getattr(record, kind) for record in records(directory) if record.WhichOneof('record_type') == kind
    ]


def values_of(items):
    """Name -> value, without the library's own."""
    found = {'.'.join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}
    return {name: value for name, value in found.items() if not name.startswith('_')}


def history(directory):
    return [(one.step.num, values_of(one.item)) for one in of_kind(directory, 'history')]


def sessions(workdir):
    """The directories of the offline sessions, oldest first, once the library's process has written them."""
    found = sorted(workdir.glob('wandb/offline-run-*'), key=lambda path: path.stat().st_mtime_ns)
    for directory in found:
        end = time.monotonic() + 20
        while not of_kind(directory, 'exit') and time.monotonic() < end:
            time.sleep(0.02)
    return found


def test_an_offline_session(tmp_path):
    run = run_in(tmp_path, 'wandb')
    picture = tmp_path / 'methods_00000004.png'
    PIL.Image.new('RGB', (3, 2)).save(picture)
    logger = wandb(project='p', tags=('one',))
    assert logger.begin(run) is False
    logger.row(4, {'train/loss': 1.5, 'time/seconds': 2.0})
    logger.row(4, {'eval/top1': 0.5})
    logger.picture(4, 'gallery/methods', picture)
    logger.row(6, {'train/loss': 0.5})
    logger.close('done', {'result/top1_best': 0.5})
    (directory,) = sessions(tmp_path)
    (first, last) = history(directory)
    assert last == (6, {'train/loss': 0.5}) and first[0] == 4
    assert first[1].items() >= {'train/loss': 1.5, 'time/seconds': 2.0, 'eval/top1': 0.5}.items()
    drawn = directory / 'files' / first[1]['gallery/methods.path']
    assert drawn.read_bytes() == picture.read_bytes()
    (begun,) = of_kind(directory, 'run')
    assert (begun.run_id, begun.project, begun.display_name) == ('a1', 'p', tmp_path.name)
    assert list(begun.tags) == ['one']
    config = values_of(begun.config.update)
    assert config == run.config | {'identity': {'run': 'a1', 'commit': None, 'host': 'here'}}
    assert any('result/top1_best' in values_of(one.update) for one in of_kind(directory, 'summary'))
    assert [one.exit_code for one in of_kind(directory, 'exit')] == [0]
    assert of_kind(directory, 'preempting') == []


@pytest.mark.parametrize(('state', 'code'), [('preempted', 75), ('failed', 1)])
def test_an_end_before_the_last_step(state, code, tmp_path):
    logger = wandb()
    logger.begin(run_in(tmp_path, 'wandb'))
    logger.close(state, {})
    (directory,) = sessions(tmp_path)
    assert [one.exit_code for one in of_kind(directory, 'exit')] == [code]
    assert len(of_kind(directory, 'preempting')) == (state == 'preempted')


def test_every_offline_session_has_the_whole_run(tmp_path):
    """The second session begins again from step 4, as after a kill; its directory has each row once."""
    for begin, last in ((0, 6), (4, 8)):
        with Writer(tmp_path, begin, 8, run_in(tmp_path, 'wandb', begin), wandb()) as writer:
            for step in range(begin + 2, last + 1, 2):
                writer.write(step, {'train_loss': float(10 * begin + step)})
    losses = [(step, values['train/loss']) for step, values in history(sessions(tmp_path)[-1])]
    assert losses == [(2, 2.0), (4, 4.0), (6, 46.0), (8, 48.0)]


class Library(types.ModuleType):
    """Stands for the library, online: a run that the service has up to step 6."""

    def __init__(self, key):
        super().__init__('wandb')
        self.key, self.logged, self.given = key, [], {}
        self.resumed, self.step, self.url = True, 7, 'https://example.org/a1'

    def setup(self):
        return types.SimpleNamespace(settings=types.SimpleNamespace(mode='online'))

    def login(self, prompt, verify):
        assert not prompt and not verify  # it neither asks nor uses the network
        return self.key

    def Settings(self, **values):  # noqa: N802
        return values

    def init(self, **values):
        self.given = values
        return self

    def log(self, values, step):
        self.step = step
        self.logged.append((step, values))


def test_an_online_run_is_continued_and_its_step_never_goes_back(tmp_path, monkeypatch):
    library = Library(key=True)
    monkeypatch.setitem(sys.modules, 'wandb', library)
    logger = wandb()
    assert logger.begin(run_in(tmp_path, 'wandb')) is True
    assert (library.given['id'], library.given['resume']) == ('a1', 'allow')
    for step in (6, 7, 7, 8):
        logger.row(step, {'train/loss': 1.0})
    assert [step for step, _ in library.logged] == [7, 7, 8]


def test_without_a_key_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', Library(key=False))
    with pytest.raises(ValueError, match='run `wandb login`, set WANDB_API_KEY, or set WANDB_MODE=offline'):
        wandb()
