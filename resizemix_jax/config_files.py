"""Config files: found where the user says, or in the package; and the configs that runs have stored."""

import importlib
import pathlib
import runpy
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import ml_collections

from resizemix_jax import config as configs
from resizemix_jax.errors import ConfigError
from resizemix_jax.run import files

FOLDER = 'configs'


class ConfigFile(NamedTuple):
    """A loaded config file.

    Attributes:
        path: as the user wrote it.
        doc: its docstring.
        get_config: argument (str) -> ConfigDict.
        table: its TABLE, a `tables.Table`, or None.
    """

    path: str
    doc: str
    get_config: Callable
    table: Any


def load(path: str | pathlib.Path) -> ConfigFile:
    """The config file at `path`; where there is no `configs/NAME.py`, the package's own.

    Raises:
        ConfigError: there is no such file, it cannot be run, it has no get_config, or its TABLE another name.
    """
    try:
        names = _names(pathlib.Path(path))
    except Exception as error:  # of the user's own file
        line = f'{_line(error, path)}{type(error).__name__}: {error}'
        raise ConfigError(f'{path} cannot be loaded: {line}') from error
    if names is None:
        raise ConfigError(f'--config={path}: there is no such file, and no packaged one of that name')
    table = names.get('TABLE')
    if not callable(names.get('get_config')):
        raise ConfigError(f'{path} must define get_config(arg)')
    if table is not None and table.name != pathlib.Path(path).stem:
        raise ConfigError(f'{path}: the name of its TABLE is {table.name!r}, and must be that of the file')
    return ConfigFile(str(path), names.get('__doc__') or '', names['get_config'], table)


def get_config(text: str) -> ml_collections.ConfigDict:
    """The config that --config=TEXT names, e.g. get_config('configs/table3.py:row=resizemix,seed=1').

    Args:
        text: path of a config file, one of this package's `configs/` or your own; after a colon its argument.

    Returns:
        An ml_collections.ConfigDict. Its keys can be changed, and are checked when it is trained.

    Raises:
        ConfigError: as `load`. ValueError: the argument names no cell of the file's table.
    """
    path, _, argument = text.partition(':')
    return load(path).get_config(argument)


def of_run(workdir: pathlib.Path) -> ml_collections.ConfigDict:
    """The config that the run in a workdir has stored, a ConfigDict in the current format.

    Raises:
        ConfigError: the workdir holds no run, or its config cannot be read.
    """
    path = workdir / 'config.json'
    if not files.exists(path):
        raise ConfigError(f'{workdir} holds no run (it has no config.json); name a config with --config=FILE')
    return ml_collections.ConfigDict(_with_tuples(configs.migrate(files.read_json(path))))


def table_of(config: Any) -> Any:
    """The table that a config names, a `tables.Table`; None if no file of configs/ has it.

    Args:
        config: ConfigDict or dict.
    """
    try:
        return load(f'{FOLDER}/{config["table"]}.py').table
    except ConfigError:  # it may have been a file of the user's, somewhere else
        return None


def beside(path: str | pathlib.Path, name: str) -> str:
    """The path of the table `name`: the file beside the one at `path`, or else the package's own."""
    neighbour = pathlib.Path(path).with_name(f'{name}.py')
    return str(neighbour) if neighbour.is_file() else f'{FOLDER}/{name}.py'


def _names(path):
    """What a config file defines, or None if there is none."""
    if path.is_file():
        return runpy.run_path(str(path))
    if path.parent != pathlib.Path(FOLDER) or path.suffix != '.py':
        return None
    try:  # installed
        return vars(importlib.import_module(f'{__package__}.{FOLDER}.{path.stem}'))
    except ModuleNotFoundError:  # a checkout, seen from another directory
        packaged = pathlib.Path(__file__).parents[1] / path
        return runpy.run_path(str(packaged)) if packaged.is_file() else None


def _with_tuples(value):
    """A value as JSON has it, its lists as the tuples that they were."""
    if isinstance(value, dict):
        return {key: _with_tuples(one) for key, one in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def _line(error, path):
    """'line 3: ', where an error of a config file came from, or ''."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f'line {frames[-1].lineno}: ' if frames else ''
