"""A whole training and its logger."""

import json

import pytest

from resizemix_jax import train
from resizemix_jax.loop import Loop
from resizemix_jax.run import tags
from tests import tiny
from tests.loggers import recording
from tests.run.test_events import files_of, hparams_of, values_of


class PowerCut(BaseException):
    pass


def rows(workdir):
    lines = [json.loads(line) for line in (workdir / 'metrics.jsonl').read_text().splitlines()]
    return [(line.pop('step'), tags.of_row(line)) for line in lines]


def test_a_run_gives_its_logger_rows_pictures_and_scores(tmp_path):
    config = tiny.config(logger='tests.loggers.recording', gallery_every=6)
    result = train.train_and_evaluate(config, tmp_path)
    logger = recording.MADE.pop()
    assert logger.rows == rows(tmp_path) and logger.run.config['seed'] == 0
    pictures = [
        (step, tag) for step in (6, 12) for tag in ('gallery/cam', 'gallery/grad_cam', 'gallery/methods')
    ]
    assert [(step, tag) for step, tag, _ in logger.pictures] == pictures
    assert all(path.exists() for _, _, path in logger.pictures)
    state, scores = logger.closed
    assert state == 'done' and scores['result/top1_best'] == result['top1_best']
    identity = json.loads((tmp_path / 'identity.jsonl').read_text())
    assert logger.run.id == identity['run'] and logger.run.identity == identity
    assert 'logger' not in result['unread_keys']
    (file,) = files_of(tmp_path)
    assert [(step, value.tag) for step, value in values_of(file, 'image')] == pictures
    assert [tag for _, tag, _ in hparams_of(file)] == [
        '_hparams_/session_start_info', '_hparams_/session_end_info',
    ]  # fmt: skip


@pytest.mark.slow
def test_a_run_that_was_killed_gives_each_row_once(tmp_path, monkeypatch):
    """Killed at step 7 without a logger, and at step 11 with one."""
    advance = Loop.advance

    def until(last):
        def advance_until(self, state, metrics, step, batches):
            if step == last:
                raise PowerCut
            return advance(self, state, metrics, step, batches)

        monkeypatch.setattr(Loop, 'advance', advance_until)

    for last, logger in ((7, 'none'), (11, 'tests.loggers.recording')):
        until(last)
        with pytest.raises(PowerCut):
            train.train_and_evaluate(tiny.config(logger=logger), tmp_path)
    first = recording.MADE.pop()
    assert first.closed == ('failed', {}) and first.steps == [3, 4, 6, 8, 9]
    until(None)
    train.train_and_evaluate(tiny.config(logger='tests.loggers.recording'), tmp_path)
    second = recording.MADE.pop()
    assert second.run.id == first.run.id and second.run.step == 8
    assert second.steps == [12, 12] and second.closed[0] == 'done'
    assert [step for step, _ in rows(tmp_path)] == first.steps + second.steps
