import json
import time

import numpy as np
import pytest
from tensorboardX.proto import event_pb2

from resizemix_jax.run import events, writers


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


def test_events_are_read_by_tensorboard_s_own_format(tmp_path):
    written = events.Events(tmp_path / 'events', 5)
    written.write(5, {'train_loss': 1.5, 'epoch': 2})
    written.close()
    assert scalars_of(*files_of(tmp_path)) == ([(5, 'train_loss', 1.5), (5, 'epoch', 2.0)], [5])


@pytest.mark.parametrize('moment', [-1e9, 0.0, 1e12])
def test_a_clock_that_is_set_ends_nothing(moment, tmp_path, monkeypatch):
    written = events.Events(tmp_path / 'events', 1)
    written.write(1, {'a': 1.0})
    monkeypatch.setattr(time, 'time', lambda: moment)
    written.write(2, {'a': 2.0})
    written.close()
    again = events.Events(tmp_path / 'events', 3)
    again.write(3, {'a': 3.0})
    again.close()
    assert sorted(s for file in files_of(tmp_path) for s in scalars_of(file)[0]) == [
        (1, 'a', 1.0), (2, 'a', 2.0), (3, 'a', 3.0),
    ]  # fmt: skip


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
