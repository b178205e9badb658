"""Every logger, whichever there are."""

import sys

import pytest

from resizemix_jax import config as configs
from resizemix_jax.errors import EXTRAS, ConfigError
from resizemix_jax.find import find, keywords, names
from resizemix_jax.run import delivery

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
