import pytest

from configs import quickstart
from resizemix_jax.errors import ConfigError
from resizemix_jax.run import workdir


def start(path, config, checkpoint=True):
    workdir.open_workdir(path, config)
    if checkpoint:
        (path / 'checkpoints' / '7').mkdir(parents=True)


def test_the_same_config_continues(tmp_path):
    start(tmp_path, quickstart.get_config())
    result = workdir.open_workdir(tmp_path, quickstart.get_config())
    assert result == {}
    assert workdir.read_json(tmp_path / 'config.json')['mixing'] == 'resizemix'


def test_another_config_is_refused_with_the_differences(tmp_path):
    start(tmp_path, quickstart.get_config())
    other = quickstart.get_config('row=cutmix')
    other.optimizer.lr = 0.5
    with pytest.raises(ConfigError) as error:
        workdir.open_workdir(tmp_path, other)
    for part in ('mixing: resizemix -> cutmix', 'optimizer.lr: 0.1 -> 0.5', '--allow_config_change'):
        assert part in str(error.value)
    assert workdir.read_json(tmp_path / 'config.json')['mixing'] == 'resizemix'
    workdir.open_workdir(tmp_path, other, allow_config_change=True)
    assert workdir.read_json(tmp_path / 'config.json')['mixing'] == 'cutmix'


def test_where_it_runs_may_change(tmp_path):
    start(tmp_path, quickstart.get_config())
    elsewhere = quickstart.get_config()
    elsewhere.num_devices, elsewhere.data_dir, elsewhere.remat = 2, '/data', True
    workdir.open_workdir(tmp_path, elsewhere)


def test_a_directory_with_nothing_to_lose_takes_any_config(tmp_path):
    start(tmp_path, quickstart.get_config(), checkpoint=False)
    workdir.open_workdir(tmp_path, quickstart.get_config('row=cutmix'))


def test_a_finished_run_is_returned(tmp_path):
    start(tmp_path, quickstart.get_config())
    workdir.write_json(tmp_path / 'result.json', {'top1_last': 0.5})
    assert workdir.open_workdir(tmp_path, quickstart.get_config()) == {'top1_last': 0.5}
    with pytest.raises(ConfigError, match='another config'):
        workdir.open_workdir(tmp_path, quickstart.get_config('row=cutmix'))


def test_what_is_no_directory_or_no_json_is_named(tmp_path):
    file = tmp_path / 'file'
    file.write_text('{')
    with pytest.raises(ConfigError, match='is a file'):
        workdir.open_workdir(file, quickstart.get_config())
    with pytest.raises(ConfigError, match='is not JSON'):
        workdir.read_json(file)
