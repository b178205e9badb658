import json

import pytest

from resizemix_jax import build
from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError
from resizemix_jax.input.dataset import Split
from resizemix_jax.run import files, results, workdir
from tests import tiny


class Data(Split):
    """67 examples: 4 batches of 16."""

    names = ('cat', 'dog')

    def __init__(self, size=67, listed=()):
        self.size, self.files = size, listed


RESULT = (*results.KEYS, 'top1_last', 'top1_best')
SPLITS = {'train': Data(), 'eval': Data(37)}


def start(path, config=None, step=8, splits=SPLITS, allow=False):
    """One start of the trainer, as far as the workdir sees it: (what it found, the offset)."""
    config = config or tiny.config()
    with workdir.owned(path):
        opened = workdir.open_workdir(path, config, allow)
        if opened.result:
            return opened, None
        offset = workdir.begin(path, opened, build.plan(config), splits, step, allow)
    (path / 'checkpoints' / str(step or 1)).mkdir(parents=True, exist_ok=True)
    return opened, offset


def finish(path, config=None):
    made = json.loads((config or tiny.config()).to_json())
    workdir.finish(path, dict.fromkeys(RESULT, 0.5) | {'config': made})


def test_a_new_run_writes_its_config_and_identity(tmp_path):
    opened, offset = start(tmp_path / 'run', step=0)
    assert opened == ({}, {}, []) and offset == 0
    assert files.read_json(tmp_path / 'run' / 'config.json')['mixing'] == 'resizemix'
    (row,) = workdir.identities(tmp_path / 'run')
    assert (row['step'], row['offset'], row['batch_size']) == (0, 0, 16)
    assert row['data']['train']['size'] == 67 and row['devices'] == '1 x cpu'


def test_the_same_config_continues_and_every_start_is_a_row(tmp_path):
    for step in (0, 4, 8, 8):
        opened, offset = start(tmp_path, step=step)
        assert offset == 0 and opened.result == {}
    assert opened.config['mixing'] == 'resizemix' and opened.changes == []
    assert [row['step'] for row in workdir.identities(tmp_path)] == [0, 4, 8, 8]
    start(tmp_path, step=4)  # a checkpoint was lost
    assert [row['step'] for row in workdir.identities(tmp_path)] == [0, 4, 4]


def test_another_experiment_is_refused_with_the_differences(tmp_path):
    start(tmp_path)
    other = tiny.config(schedule_args__lr=0.5, label_smoothing=0.1)
    with pytest.raises(ConfigError) as error:
        start(tmp_path, other)
    for part in ('label_smoothing: 0.0 -> 0.1', 'schedule_args.lr: 0.1 -> 0.5', '--allow_config_change'):
        assert part in str(error.value)
    assert files.read_json(tmp_path / 'config.json')['label_smoothing'] == 0.0
    start(tmp_path, other, allow=True)
    assert files.read_json(tmp_path / 'config.json')['label_smoothing'] == 0.1


@pytest.mark.slow
def test_where_it_runs_and_how_much_it_logs_may_change(tmp_path, caplog):
    start(tmp_path)
    opened, _ = start(tmp_path, tiny.config(num_devices=2, data_dir='/data', remat=True, log_every_steps=7))
    assert opened.config['log_every_steps'] == 3  # what the checkpoint's sums go by
    assert opened.changes == [] and not caplog.text


@pytest.mark.slow
def test_a_change_that_shifts_the_run_is_said(tmp_path, caplog):
    start(tmp_path)
    opened, offset = start(tmp_path, tiny.config(batch_size=32, epochs=5))
    assert opened.changes == [('batch_size', 16, 32), ('epochs', 3, 5)] and offset == 4
    assert (
        'batch_size: 16 -> 32, epochs: 3 -> 5. The run continues after step 8, at epoch 2 of 5' in caplog.text
    )
    caplog.clear()
    # The next start knows it, wherever it continues; nothing changes, so nothing is said.
    for step in (9, 8):
        opened, offset = start(tmp_path, tiny.config(batch_size=32, epochs=5), step=step)
        assert offset == 4 and opened.changes == []
    assert not caplog.text
    # From before the change, the change is made there.
    assert start(tmp_path, tiny.config(batch_size=32, epochs=5), step=4)[1] == 2


@pytest.mark.slow
def test_a_change_that_was_cut_off_is_found(tmp_path, monkeypatch):
    """A kill between identity.jsonl and config.json: the place is known, whatever config.json says."""
    start(tmp_path)
    write = files.write_json

    def cut(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, 'write_json', cut)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path, tiny.config(batch_size=32))
    monkeypatch.setattr(files, 'write_json', write)
    assert files.read_json(tmp_path / 'config.json')['batch_size'] == 16
    assert start(tmp_path, tiny.config(batch_size=32))[1] == 4
    assert (
        start(tmp_path, tiny.config(batch_size=16), step=10)[1] == 10 - 12
    )  # a whole epoch later, changed back


@pytest.mark.slow
def test_a_place_that_cannot_be_kept_is_refused_and_nothing_is_written(tmp_path):
    start(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob('*.json*')}
    for values, step, message in (
        ({'batch_size': 64}, 9, 'batch_size=64 cannot continue the run at step 9'),
        ({'epochs': 1}, 8, 'is at epoch 2 and would have ended at epoch 1'),
        ({'steps': 6}, 8, 'is at epoch 2 and would have ended at epoch 1.5'),
    ):
        with pytest.raises(ConfigError, match=message):
            start(tmp_path, tiny.config(**values), step)
    assert {path: path.read_bytes() for path in tmp_path.glob('*.json*')} == before


@pytest.mark.slow
def test_other_data_is_another_experiment(tmp_path, caplog):
    start(tmp_path)
    renamed = type('Renamed', (Data,), {'names': ('cat', 'cow')})()
    for other, change in ((Data(66), 'size of'), (renamed, 'the classes of')):
        with pytest.raises(ConfigError, match=f"the data is not what .*: {change} 'train' w(as|ere)"):
            start(tmp_path, splits=SPLITS | {'train': other})
    start(tmp_path, splits=SPLITS | {'train': Data(66)}, allow=True)
    assert "size of 'train' was 67 and is 66" in caplog.text


@pytest.mark.slow
def test_the_files_of_the_data_count_where_they_are_known(tmp_path):
    listed = [('a', 3), ('b', 5)]
    start(tmp_path)  # not known yet
    start(tmp_path, splits=SPLITS | {'train': Data(listed=listed)})
    start(tmp_path, splits=SPLITS | {'train': Data(listed=listed[::-1])})
    with pytest.raises(ConfigError, match="bytes of 'train' was 8 and is 9"):
        start(tmp_path, splits=SPLITS | {'train': Data(listed=[('a', 3), ('b', 6)])})


def test_a_directory_with_nothing_to_lose_takes_any_config(tmp_path):
    workdir.begin(tmp_path, workdir.Opened({}, {}, []), build.plan(tiny.config()), SPLITS, 0)
    assert start(tmp_path, tiny.config(seed=3), splits=SPLITS | {'train': Data(90)}, step=0)[1] == 0
    assert len(workdir.identities(tmp_path)) == 1


@pytest.mark.slow
def test_a_finished_run_is_returned_and_kept(tmp_path):
    start(tmp_path)
    finish(tmp_path)
    assert start(tmp_path)[0].result['top1_last'] == 0.5
    assert start(tmp_path, tiny.config(num_devices=2, log_every_steps=7))[0].result
    for values in ({'seed': 3}, {'epochs': 5}):  # also what may change in a run that is not finished
        with pytest.raises(ConfigError, match=f'finished run of another config:\n    {next(iter(values))}: '):
            start(tmp_path, tiny.config(**values))
    # Extended, it is no longer finished, also when it is continued.
    longer = tiny.config(epochs=5)
    assert start(tmp_path, longer, allow=True)[0].result == {}
    assert start(tmp_path, longer, allow=True)[0].result == {}
    finish(tmp_path, longer)
    assert start(tmp_path, longer)[0].result


@pytest.mark.parametrize('key', RESULT)
def test_a_result_that_lacks_something_is_no_finished_run(key, tmp_path):
    start(tmp_path)
    finish(tmp_path)
    content = files.read_json(tmp_path / 'result.json')
    del content[key]
    files.write_json(tmp_path / 'result.json', content)
    with pytest.raises(ConfigError, match=f'result.json lacks {key}: it is damaged. Move it away'):
        start(tmp_path)


@pytest.mark.parametrize('name', ['config.json', 'result.json'])
@pytest.mark.parametrize('content', ['{', '[]', '{"mixing": null}', '{"config": 1}', '\xff'])
def test_a_damaged_file_of_a_run_is_a_sentence(name, content, tmp_path):
    start(tmp_path)
    finish(tmp_path)
    (tmp_path / name).write_text(content, 'latin-1')
    with pytest.raises(ConfigError, match=f'{name}|run of another config:(.|\n)*config: 1 -> absent'):
        start(tmp_path)


def test_a_run_without_its_config_is_refused(tmp_path):
    start(tmp_path)
    (tmp_path / 'config.json').unlink()
    with pytest.raises(ConfigError, match='holds a run without its config.json'):
        start(tmp_path)
    assert start(tmp_path, allow=True)[0] == ({}, {}, [])


@pytest.mark.slow
def test_a_run_of_format_1_continues(tmp_path):
    """The config that version 0.1.0 stored: another format, and fewer keywords."""
    start(tmp_path)
    stored = files.read_json(tmp_path / 'config.json')
    flat = {**stored['optimizer_args'], **stored['schedule_args']}
    old = {
        k: v for k, v in stored.items() if k not in ('format', 'freeze', 'optimizer_args', 'schedule_args')
    }
    old |= {'optimizer': flat, 'model': 'wide_resnet', 'model_args': {'depth': 10, 'width': 1}}
    old.pop('schedule')
    config = tiny.config(**tiny.WIDE)
    files.write_json(tmp_path / 'config.json', old)
    opened, _ = start(tmp_path, config)
    assert opened.changes == [] and opened.config['schedule_args']['lr'] == 0.1
    assert files.read_json(tmp_path / 'config.json')['format'] == configs.FORMAT


@pytest.mark.slow
def test_a_run_of_an_older_format_is_told_which_laws_changed(tmp_path, caplog):
    start(tmp_path, tiny.config(**tiny.WIDE))
    assert not caplog.text
    files.write_json(tmp_path / 'config.json', files.read_json(tmp_path / 'config.json') | {'format': 2})
    start(tmp_path, tiny.config(**tiny.WIDE))
    assert "Changed since this run was begun: BatchNorm's variance no longer cancels" in caplog.text
    assert 'micro-batch' not in caplog.text and 'scale' not in caplog.text
    caplog.clear()
    start(tmp_path, tiny.config(**tiny.WIDE))  # said once, for the rest is of this version
    assert not caplog.text


@pytest.mark.slow
def test_a_run_of_another_jaxlib_is_told_so(tmp_path, caplog):
    start(tmp_path)
    row = workdir.identities(tmp_path)[-1]
    now = row['versions']['jaxlib']
    row['versions']['jaxlib'] = '0.1.2'
    files.write_rows(tmp_path / 'identity.jsonl', [row])
    start(tmp_path)
    assert f'other libraries (jaxlib 0.1.2, now {now}): it does not continue bit by bit' in caplog.text
    caplog.clear()
    del row['versions']
    files.write_rows(tmp_path / 'identity.jsonl', [row])
    start(tmp_path)
    assert not caplog.text


def test_one_run_owns_a_workdir(tmp_path):
    with (
        workdir.owned(tmp_path),
        pytest.raises(ConfigError, match='is in use by process'),
        workdir.owned(tmp_path),
    ):
        pass
    with pytest.raises(RuntimeError), workdir.owned(tmp_path):
        raise RuntimeError
    with workdir.owned(tmp_path):
        pass


def test_a_workdir_that_is_a_file_is_named(tmp_path):
    path = tmp_path / 'file'
    path.write_text('{')
    with pytest.raises(ConfigError, match='is a file; name a directory'), workdir.owned(path):
        pass
