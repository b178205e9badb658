import logging
import subprocess
import sys

import numpy as np
import pytest

from resizemix_jax import config as configs
from resizemix_jax.errors import RunError
from resizemix_jax.run import storage
from tests import hosts, small_disk
from tests.command import ENVIRONMENT, ROOT, command
from tests.devices.test_processes import config
from tests.test_train import final_state, rows


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (
            ValueError('RESOURCE_EXHAUSTED: Error writing "a" [os_error_code=\'28\']'),
            'No space left on device',
        ),
        (PermissionError(13, 'Permission denied', 'x'), 'Permission denied'),
        (ValueError("bad [tensorstore_spec='{}']\nmore"), 'bad'),
    ],
)
def test_an_error_is_a_sentence(error, words, tmp_path):
    with (
        pytest.raises(
            RunError, match=f'cannot save a checkpoint in {tmp_path} .*2.0 MB, .* MB are free.: {words}. '
        ),
        storage.reported(tmp_path, 2_000_000),
    ):
        raise error
    with (
        pytest.raises(RunError, match=r'\(it takes about 2.0 MB\): '),
        storage.reported(tmp_path / 'x', 2_000_000),
    ):
        raise error


def test_tracebacks_of_orbax_are_not_shown(caplog, monkeypatch):
    absl, asyncio = logging.getLogger('absl'), logging.getLogger('asyncio')
    for logger in (absl, asyncio):
        monkeypatch.setattr(logger, 'filters', [])
    monkeypatch.setattr(sys, 'unraisablehook', sys.unraisablehook)
    storage.leave_out_complaints()
    record = ('absl', logging.ERROR, '/x/orbax/a.py', 1, 'failed', None, (ValueError, ValueError(), None))
    absl.handle(absl.makeRecord(*record))
    absl.handle(absl.makeRecord(*record[:2], '/x/other.py', *record[3:]))
    assert [record.pathname for record in caplog.records] == ['/x/other.py']


# Its checkpoints are larger than the rest of its files.
RUN = (
    *hosts.TINY,
    '--config.num_devices=1',
    '--config.model=wide_resnet',
    '--config.model_args.depth=10',
    '--config.model_args.width=1',
)


@pytest.fixture(scope='module')
def unbroken(tmp_path_factory):
    """The run, where there is room."""
    workdir = tmp_path_factory.mktemp('unbroken') / 'run'
    subprocess.run(command(*RUN, f'--workdir={workdir}'), cwd=ROOT, env=ENVIRONMENT, check=True)
    return workdir


@pytest.mark.parametrize(
    ('size', 'words'),
    [('12k', 'RunError: cannot write '), ('1600k', 'RunError: cannot save a checkpoint in ')],
)
@pytest.mark.slow
def test_a_run_on_a_full_disk_ends_with_a_sentence_and_continues_with_more_room(
    size, words, unbroken, tmp_path
):
    for name in ('disk', 'outcome'):
        (tmp_path / name).mkdir()
    run = command(*RUN, f'--workdir={tmp_path}/disk/run')
    first, second = small_disk.twice(run, tmp_path / 'disk', size, '64m', tmp_path / 'outcome')
    last = first[1].splitlines()[-1]
    assert first[0] == 1 and last.startswith(words) and 'No space left on device' in last, first[1]
    assert 'Traceback' not in first[1] and 'Error' not in first[1].replace(last, '')
    assert second[0] == 0, second[1]
    workdir = tmp_path / 'outcome' / 'disk' / 'run'
    assert rows(workdir) == rows(unbroken)
    wide = configs.override(config(), {'model': 'wide_resnet', 'model_args.depth': 10, 'model_args.width': 1})
    states = [final_state(path, wide)[0] for path in (workdir, unbroken)]
    for one, two in zip(*states, strict=True):
        np.testing.assert_array_equal(one, two)
