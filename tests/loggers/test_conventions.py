"""Every logger, whichever there are."""

import pathlib
import re
import sys

import pytest

from resizemix_jax import config as configs
from resizemix_jax.errors import EXTRAS, ConfigError
from resizemix_jax.find import find, keywords, names
from resizemix_jax.run import delivery
from resizemix_jax.run.writers import Writer
from tests.loggers.recording import run_in

EXTENDING = pathlib.Path(__file__).parents[2] / 'docs' / 'extending.md'
NAMES = [name for name in names('loggers') if name != 'none']


def test_there_are_loggers():
    assert {'none', 'wandb', 'mlflow'} <= set(names('loggers'))
    assert find('loggers', 'none')() is None


@pytest.mark.parametrize('name', NAMES)
def test_a_wrong_keyword_is_named(name):
    for keyword in keywords(find('loggers', name)):
        with pytest.raises(ValueError, match=f'logger_args.{keyword}='):
            find('loggers', name)(**{keyword: 3})


@pytest.mark.parametrize('name', NAMES)
def test_a_logger_has_the_methods_of_the_contract(name):
    logger = find('loggers', name)()
    assert all(callable(getattr(logger, method)) for method in ('begin', 'row', 'picture', 'close'))


@pytest.mark.parametrize('name', [name for name in NAMES if name in EXTRAS])
def test_a_library_that_is_missing_is_named_and_configs_can_be_read_without_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    config = configs.override(configs.complete(configs.base()), {'logger': name})
    assert configs.migrate(configs.stored(config))['logger'] == name
    message = f"logger='{name}': .* has no module '{name}': pip install 'resizemix-jax\\[{EXTRAS[name]}\\]'"
    with pytest.raises(ConfigError, match=message):
        delivery.make(config)


def test_the_logger_of_the_docs_logs(tmp_path, monkeypatch):
    section = EXTENDING.read_text('utf-8').partition('## A logger\n')[2]
    code = re.search(r'^```python\n(.*?)^```', section, re.M | re.S)[1]
    (tmp_path / 'my_loggers').mkdir()
    (tmp_path / 'my_loggers' / 'ends.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    path = str(tmp_path / 'all_ends.txt')
    values = {'logger': 'my_loggers.ends', 'logger_args.path': path}
    logger = delivery.make(configs.override(configs.complete(configs.base()), values))
    with Writer(tmp_path, 0, 4, run_in(tmp_path, 'my_loggers.ends'), logger) as writer:
        writer.write(4, {'eval_top1': 0.5})
        writer.conclude({'top1_best': 0.5})
    expected = f"{tmp_path} done step=4 {{'result/top1_best': 0.5}}\n"
    assert (tmp_path / 'all_ends.txt').read_text() == expected
