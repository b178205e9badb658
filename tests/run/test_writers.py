import logging
import sys

from resizemix_jax.run import rows, writers
from tests.run.test_events import files_of, rows_of, scalars_of


def test_rows_and_events_agree(tmp_path):
    with writers.Writer(tmp_path, 0, 10) as writer:
        writer.write(5, {'train_loss': 1.5, 'epoch': 0.5})
        writer.write(10, {'eval_top1': 0.25})
    assert (
        rows_of(tmp_path)
        == writer.rows
        == [
            {'step': 5, 'train_loss': 1.5, 'epoch': 0.5},
            {'step': 10, 'eval_top1': 0.25},
        ]
    )
    scalars, _ = scalars_of(*files_of(tmp_path))
    assert scalars == [(5, 'train/loss', 1.5), (5, 'train/epoch', 0.5), (10, 'eval/top1', 0.25)]


def test_rows_of_the_future_are_dropped(tmp_path):
    with writers.Writer(tmp_path, 0, 10) as writer:
        for step in (2, 4, 6):
            writer.write(step, {'train_loss': float(step)})
    with writers.Writer(tmp_path, 4, 10) as writer:
        assert [row['step'] for row in writer.rows] == [2, 4]
        writer.write(6, {'train_loss': 60.0})
    assert [row['train_loss'] for row in rows_of(tmp_path)] == [2.0, 4.0, 60.0]
    assert 5 in scalars_of(files_of(tmp_path)[-1])[1]  # TensorBoard hides what it saw from step 5 on


def test_events_that_cannot_be_written_are_given_up(tmp_path, caplog):
    (tmp_path / 'events').write_text('')
    with writers.Writer(tmp_path, 0, 10) as writer:
        writer.write(2, {'a': 1.0})
        writer.write(4, {'a': 2.0})
    assert rows_of(tmp_path) == [{'step': 2, 'a': 1.0}, {'step': 4, 'a': 2.0}]
    assert caplog.text.count('No more TensorBoard events of this run are written: ') == 1


def test_a_start_from_nothing_says_what_it_drops(tmp_path, caplog):
    for step in (0, 2, 0):
        caplog.clear()
        with writers.Writer(tmp_path, step, 10) as writer:
            writer.write(step + 2, {'a': 1.0})
        assert ('as it has no checkpoint' in caplog.text) == (step == 0 and len(files_of(tmp_path)) > 1)
    assert writer.sum == rows.extended(rows.EMPTY, rows_of(tmp_path))


def test_broken_lines_are_dropped_with_a_warning(tmp_path, caplog):
    path = tmp_path / 'metrics.jsonl'
    path.write_text('{"step": 1, "a": 2}\nnonsense\n[]\n{"a": 1}\n{"step": 3, "a"')
    with caplog.at_level(logging.WARNING):
        assert writers.read_rows(path) == [{'step': 1, 'a': 2}]
    assert 'line 2 is not a row' in caplog.text and 'line 5' in caplog.text
    assert writers.read_rows(tmp_path / 'absent') == []


def test_log_lines(tmp_path, caplog):
    with caplog.at_level(logging.INFO, 'resizemix_jax'), writers.Writer(tmp_path, 0, 10) as writer:
        writer.write(5, {'train_loss': 1.23456789, 'eval_top1': 0.5, 'data_wait_share': 0.01, 'n': 3})
        writer.write(6, {'a': 1.0}, '2 min left')
        writers.log_parameters({'a': {'b': {'kernel': Size(1000), 'bias': Size(24)}, 'c': {'w': Size(7)}}})
    assert '[5] train_loss=1.2346, eval_top1=0.5, data_wait_share=0.01, n=3\n' in caplog.text
    assert '[6] a=1; 2 min left\n' in caplog.text and rows_of(tmp_path)[-1] == {'step': 6, 'a': 1.0}
    assert [line.split() for line in caplog.text.splitlines()[-3:]] == [
        ['a/b', '1,024'],
        ['a/c', '7'],
        ['total', '1,031'],
    ]


class Size:
    def __init__(self, size):
        self.size = size


def test_the_log_is_set_up_once_a_process(monkeypatch):
    ours = logging.getLogger('resizemix_jax')
    monkeypatch.setattr(ours, 'handlers', [])
    monkeypatch.setattr(ours, 'propagate', ours.propagate)
    monkeypatch.setattr(ours, 'level', ours.level)
    monkeypatch.setattr(sys, 'unraisablehook', sys.unraisablehook)
    for logger in map(logging.getLogger, ('absl', 'asyncio')):
        monkeypatch.setattr(logger, 'filters', [])
    writers.log_to_stderr()
    writers.log_to_stderr()
    assert len(ours.handlers) == 1
