import logging
import sys

import pytest

from resizemix_jax.errors import RunError
from resizemix_jax.run import storage


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
