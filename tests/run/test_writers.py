import json
import logging

import numpy as np
from tensorboardX.proto import event_pb2

from resizemix_jax.run import writers


def rows_of(path):
    return [json.loads(line) for line in (path / 'metrics.jsonl').read_text().splitlines()]


def files_of(path):
    """The event files, oldest first."""
    return sorted((path / 'events').glob('events*'), key=lambda f: f.stat().st_mtime_ns)


def scalars_of(file):
    """(step, tag, value) of every scalar in an event file; and the purge steps."""
    scalars, purges = [], []
    data, at = file.read_bytes(), 0
    while at < len(data):  # TFRecord: length, its checksum, the event, its checksum
        size = int.from_bytes(data[at : at + 8], 'little')
        event = event_pb2.Event.FromString(data[at + 12 : at + 12 + size])
        at += 16 + size
        if event.HasField('session_log'):
            purges.append(event.step)
        scalars += [(event.step, v.tag, v.simple_value) for v in event.summary.value]
    return scalars, purges


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
    assert scalars == [(5, 'train_loss', 1.5), (5, 'epoch', 0.5), (10, 'eval_top1', 0.25)]


def test_rows_of_the_future_are_dropped(tmp_path):
    with writers.Writer(tmp_path, 0, 10) as writer:
        for step in (2, 4, 6):
            writer.write(step, {'train_loss': float(step)})
    with writers.Writer(tmp_path, 4, 10) as writer:
        assert [row['step'] for row in writer.rows] == [2, 4]
        writer.write(6, {'train_loss': 60.0})
    assert [row['train_loss'] for row in rows_of(tmp_path)] == [2.0, 4.0, 60.0]
    assert 5 in scalars_of(files_of(tmp_path)[-1])[1]  # TensorBoard hides what it saw from step 5 on


def shown(path):
    """(step, tag, value) as TensorBoard shows them: a file hides what is after the step that it begins at."""
    found = []
    for file in files_of(path):
        scalars, purges = scalars_of(file)
        for begin in purges:
            found = [scalar for scalar in found if scalar[0] < begin]
        found += scalars
    return found


def assert_events_are_the_rows(path):
    """What TensorBoard shows is metrics.jsonl, in its order: no step twice, none that goes back."""
    expected = [(row['step'], tag, v) for row in rows_of(path) for tag, v in row.items() if tag != 'step']
    found = shown(path)
    assert [scalar[:2] for scalar in found] == [scalar[:2] for scalar in expected]
    # events are float32
    np.testing.assert_allclose([s[2] for s in found], [s[2] for s in expected], rtol=1e-6)
    steps = [step for step, _, _ in found]
    assert steps == sorted(steps)


def test_events_agree_with_the_rows_after_every_resume(tmp_path):
    for begin, last in (
        (0, 8),
        (4, 6),
        (0, 3),
        (3, 12),
    ):  # also from the beginning again, and from further on
        with writers.Writer(tmp_path, begin, 12) as writer:
            for step in range(begin + 1, last + 1):
                writer.write(step, {'train_loss': 10.0 * last + step, 'epoch': step / 4})
                if step % 4 == 0:
                    writer.write(step, {'eval_top1': step / 10})
        # Files of one second would have one name; a run takes longer than that to come back.
        files_of(tmp_path)[-1].rename(tmp_path / 'events' / f'events_{begin}_{last}')
        assert_events_are_the_rows(tmp_path)
    assert len(files_of(tmp_path)) == 4


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
        writers.log_parameters({'a': {'b': {'kernel': Size(1000), 'bias': Size(24)}, 'c': {'w': Size(7)}}})
    assert '[5] train_loss=1.2346, eval_top1=0.5, data_wait_share=0.01, n=3' in caplog.text
    assert [line.split() for line in caplog.text.splitlines()[-3:]] == [
        ['a/b', '1,024'],
        ['a/c', '7'],
        ['total', '1,031'],
    ]


class Size:
    def __init__(self, size):
        self.size = size
