"""What a logger is given, over several sessions of a run, and what its failures do: nothing to the run."""

import json
import threading

import pytest

from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError, NonFiniteError, PreemptedError
from resizemix_jax.run import delivery
from resizemix_jax.run.writers import Writer
from tests.loggers.recording import Recording, run_in


def session(workdir, logger, begin, last, run='a1', error=None):
    """A session from step `begin` on with a row every 2 steps, and another one every 4; ends by `error`."""
    with Writer(workdir, begin, 20, run_in(workdir, step=begin, run=run), logger) as writer:
        for step in range(begin + 2, last + 1, 2):
            writer.write(step, {'train_loss': float(step), 'epoch': step / 4})
            if step % 4 == 0:
                writer.write(step, {'eval_top1': step / 10, 'seconds': 1.0})
        if error:
            raise error
    return logger


def steps(*sessions):
    return [logger.steps for logger in sessions]


def test_a_logger_is_given_the_rows_by_their_tags_and_the_end(tmp_path):
    logger = Recording()
    with Writer(tmp_path, 0, 4, run_in(tmp_path), logger) as writer:
        writer.write(2, {'train_loss': 1.5, 'epoch': 0.5})
        writer.write(2, {'eval_top1': 0.25, 'seconds': 3.0})
        writer.picture(2, tmp_path / 'gallery' / 'grad_cam_00000002.png')
        writer.conclude({'top1_best': 0.25, 'seed': 3, 'seconds': 3.0})
    assert logger.run == run_in(tmp_path)
    assert logger.rows == [
        (2, {'train/loss': 1.5, 'train/epoch': 0.5}), (2, {'eval/top1': 0.25, 'time/seconds': 3.0}),
    ]  # fmt: skip
    assert logger.pictures == [(2, 'gallery/grad_cam', tmp_path / 'gallery' / 'grad_cam_00000002.png')]
    assert logger.closed == ('done', {'result/top1_best': 0.25})


@pytest.mark.parametrize(
    ('error', 'state'),
    [(PreemptedError(''), 'preempted'), (NonFiniteError(''), 'failed'), (KeyError(), 'failed')],
)
def test_an_error_is_told_and_goes_on(error, state, tmp_path):
    logger = Recording()
    with pytest.raises(type(error)):
        session(tmp_path, logger, 0, 4, error=error)
    assert logger.closed == (state, {}) and logger.steps == [2, 4, 4]


def test_what_was_given_is_not_given_again(tmp_path):
    """The run goes back to step 4 twice, as a killed one, once before it comes as far as it was."""
    begins = ((0, 12), (4, 8), (4, 16))
    found = steps(*(session(tmp_path, Recording(), *begin) for begin in begins))
    assert found == [[2, 4, 4, 6, 8, 8, 10, 12, 12], [], [14, 16, 16]]


def test_a_row_of_a_step_that_was_cut_in_the_middle_is_given(tmp_path):
    with Writer(tmp_path, 0, 20, run_in(tmp_path), Recording()) as writer:
        writer.write(2, {'train_loss': 1.0})
    logger = Recording()
    with Writer(tmp_path, 0, 20, run_in(tmp_path), logger) as writer:
        writer.write(2, {'train_loss': 2.0})
        writer.write(2, {'eval_top1': 0.5})
    assert logger.rows == [(2, {'eval/top1': 0.5})]


def test_what_a_logger_lacks_is_given_first(tmp_path):
    """A run without a logger, and then with one."""
    (tmp_path / 'gallery').mkdir()
    for name in ('methods_00000004.png', 'cam_00000004.png', 'methods_00000010.png', 'methods.png'):
        (tmp_path / 'gallery' / name).write_bytes(b'')
    session(tmp_path, None, 0, 6)
    logger = session(tmp_path, Recording(), 6, 8)
    assert logger.steps == [2, 4, 4, 6, 8, 8] and logger.order == sorted(logger.order)
    assert [(step, tag) for step, tag, _ in logger.pictures] == [(4, 'gallery/cam'), (4, 'gallery/methods')]
    again = session(tmp_path, Recording(), 8, 10)
    assert again.steps == [10] and again.pictures == []


def test_a_service_that_has_nothing_is_given_all(tmp_path):
    session(tmp_path, Recording(), 0, 4)
    assert session(tmp_path, Recording(known=False), 4, 6).steps == [2, 4, 4, 6]


def test_a_run_that_began_again_is_another(tmp_path):
    session(tmp_path, Recording(), 0, 4)
    assert session(tmp_path, Recording(), 0, 4, run='a2').steps == [2, 4, 4]


class Failing(Recording):
    """Fails at step 4."""

    def row(self, step, values):
        if step == 4:
            raise OSError('no network')
        super().row(step, values)


def test_a_logger_that_fails_is_left_out_until_the_next_session(tmp_path, caplog):
    logger = session(tmp_path, Failing(), 0, 8)
    assert logger.steps == [2] and logger.closed is None
    warning = 'The logger tests.loggers.recording is left out from here on: OSError: no network. '
    assert caplog.text.count('is left out') == 1 and warning in caplog.text
    assert session(tmp_path, Recording(), 8, 10).steps == [4, 4, 6, 8, 8, 10]
    assert len((tmp_path / 'metrics.jsonl').read_text().splitlines()) == 7


class Hanging(Recording):
    """Stands still in its first row until it is released."""

    def __init__(self):
        super().__init__()
        self.released = threading.Event()

    def row(self, step, values):
        self.released.wait()


@pytest.fixture
def hanging():
    logger = Hanging()
    yield logger
    logger.released.set()


def test_a_logger_that_stands_still_is_left_behind(hanging, tmp_path, caplog, monkeypatch):
    monkeypatch.setitem(delivery.PATIENCE, 'done', 0.05)
    session(tmp_path, hanging, 0, 8)
    assert caplog.text.count('is left out from here on: it has not finished after 0.05 s. ') == 1
    assert session(tmp_path, Recording(), 8, 8).steps == [2, 4, 4, 6, 8, 8]


def test_no_more_rows_wait_than_the_memory_takes(hanging, tmp_path, caplog, monkeypatch):
    """And a logger that was left out for that is not waited for."""
    monkeypatch.setattr(delivery, 'WAITING', 3)
    monkeypatch.setattr(delivery, 'PATIENCE', {})
    session(tmp_path, hanging, 0, 20)
    assert caplog.text.count('is left out') == 1 and ': 3 rows wait for it. ' in caplog.text


def test_marks_that_were_changed_end_the_logger_alone(tmp_path, caplog):
    session(tmp_path, Recording(), 0, 4)
    content = json.loads((tmp_path / 'loggers.json').read_text())
    content['tests.loggers.recording']['row'] = [400, 1]
    (tmp_path / 'loggers.json').write_text(json.dumps(content))
    assert session(tmp_path, Recording(), 4, 6).steps == []
    assert 'loggers.json was changed after it was written; ' in caplog.text


def made(**values):
    return delivery.make(configs.override(configs.complete(configs.base()), values))


def test_a_config_s_logger():
    assert made() is None and isinstance(made(logger='tests.loggers.recording'), Recording)
    with pytest.raises(ConfigError, match='logger_args.project=3 must be text'):
        made(logger='wandb', **{'logger_args.project': 3})
