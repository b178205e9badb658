"""TensorBoard's files, read back by the protocol buffers of tensorboardX."""

import json
import time

import numpy as np
import PIL.Image
import pytest
from tensorboardX.proto import event_pb2, plugin_hparams_pb2

from resizemix_jax.key_groups import group
from resizemix_jax.run import events, tags, writers
from tests.loggers.recording import run_in


def rows_of(path):
    return [json.loads(line) for line in (path / 'metrics.jsonl').read_text().splitlines()]


def files_of(path):
    """The event files, oldest first."""
    return sorted((path / 'events').glob('events*'), key=lambda f: f.stat().st_mtime_ns)


def events_of(file):
    """The events of an event file."""
    data, at = file.read_bytes(), 0
    while at < len(data):  # TFRecord: length, its checksum, the event, its checksum
        size = int.from_bytes(data[at : at + 8], 'little')
        yield event_pb2.Event.FromString(data[at + 12 : at + 12 + size])
        at += 16 + size


def values_of(file, kind):
    """(step, Value) of all values of a kind: 'simple_value', 'image' or 'tensor'."""
    return [(e.step, v) for e in events_of(file) for v in e.summary.value if v.HasField(kind)]


def scalars_of(file):
    """(step, tag, value) of every scalar in an event file; and the purge steps."""
    scalars = [(step, value.tag, value.simple_value) for step, value in values_of(file, 'simple_value')]
    return scalars, [event.step for event in events_of(file) if event.HasField('session_log')]


def hparams_of(file):
    """(step, tag, content) of every value of the HParams plug-in."""
    found = []
    for step, value in values_of(file, 'tensor'):
        plugin = value.metadata.plugin_data
        if plugin.plugin_name == 'hparams':
            content = plugin_hparams_pb2.HParamsPluginData.FromString(plugin.content)
            found.append((step, value.tag, content))
    return found


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
    expected = [
        (row['step'], *item)
        for row in rows_of(path)
        for item in tags.of_row({name: value for name, value in row.items() if name != 'step'}).items()
    ]
    found = [scalar for scalar in shown(path) if not scalar[1].startswith('result/')]
    assert [scalar[:2] for scalar in found] == [scalar[:2] for scalar in expected]
    # events are float32
    np.testing.assert_allclose([s[2] for s in found], [s[2] for s in expected], rtol=1e-6)
    steps = [step for step, _, _ in found]
    assert steps == sorted(steps)


def test_events_are_read_by_tensorboard_s_own_format(tmp_path):
    written = events.Events(tmp_path / 'events', 5)
    written.row(5, {'train/loss': 1.5, 'train/epoch': 2})
    written.close()
    assert scalars_of(*files_of(tmp_path)) == ([(5, 'train/loss', 1.5), (5, 'train/epoch', 2.0)], [5])


def test_a_picture_is_an_image(tmp_path):
    PIL.Image.new('RGB', (5, 3)).save(tmp_path / 'methods_00000007.png')
    written = events.Events(tmp_path / 'events', 1)
    written.picture(7, 'gallery/methods', tmp_path / 'methods_00000007.png')
    written.close()
    ((step, value),) = values_of(*files_of(tmp_path), 'image')
    assert (step, value.tag) == (7, 'gallery/methods')
    assert (value.image.width, value.image.height, value.image.colorspace) == (5, 3, 3)
    assert value.image.encoded_image_string == (tmp_path / 'methods_00000007.png').read_bytes()


def test_a_session_begins_with_its_config_and_hyperparameters(tmp_path):
    run = run_in(tmp_path, step=4)
    run = run._replace(config=run.config | {'remat': True, 'model': 'vit'})
    written = events.Events(tmp_path / 'events', 5)
    written.begin(run)
    written.close()
    (file,) = files_of(tmp_path)
    texts = {
        v.tag: v.tensor.string_val[0].decode()
        for _, v in values_of(file, 'tensor')
        if v.metadata.plugin_data.plugin_name == 'text'
    }
    lines = texts['config'].splitlines()
    assert '    mixing_args.tau = [0.1, 0.8]' in lines and '    model = "vit"' in lines and len(lines) == 6
    assert '    "host": "here"' in texts['identity']
    ((step, tag, content),) = hparams_of(file)
    assert (step, tag) == (4, '_hparams_/session_start_info')
    values = content.session_start_info.hparams
    assert set(values) == {'seed', 'mixing_args.tau', 'model'}  # and nothing of the log and the devices
    assert {group(key) for key in values} == {'experiment'}
    assert values['seed'].number_value == 3 and values['model'].string_value == 'vit'
    assert values['mixing_args.tau'].string_value == '[0.1, 0.8]'


@pytest.mark.parametrize('scores', [{}, {'result/top1_best': 0.5}])
def test_only_a_run_that_is_done_has_an_end_and_its_scores(scores, tmp_path):
    written = events.Events(tmp_path / 'events', 1)
    written.close(12, scores)
    (file,) = files_of(tmp_path)
    ends = [(step, content.session_end_info.status) for step, _, content in hparams_of(file)]
    assert ends == ([(12, 1)] if scores else [])
    assert scalars_of(file)[0] == [(12, *item) for item in scores.items()]


@pytest.mark.parametrize('moment', [-1e9, 0.0, 1e12])
def test_a_clock_that_is_set_ends_nothing(moment, tmp_path, monkeypatch):
    written = events.Events(tmp_path / 'events', 1)
    written.row(1, {'a': 1.0})
    monkeypatch.setattr(time, 'time', lambda: moment)
    written.row(2, {'a': 2.0})
    written.close()
    again = events.Events(tmp_path / 'events', 3)
    again.row(3, {'a': 3.0})
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
