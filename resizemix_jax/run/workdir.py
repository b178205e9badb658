"""The files of a run: config.json, metrics.jsonl, result.json (and events/, checkpoints/, best/)."""

import json
import pathlib

from resizemix_jax.config import differences
from resizemix_jax.errors import ConfigError

CONFIG, RESULT = 'config.json', 'result.json'


def open_workdir(workdir, config, allow_config_change=False):
    """Makes the directory, or checks that it is of the same config, and writes config.json.

    A directory without a checkpoint has nothing to lose, and takes the new config.

    Returns:
        The content of its result.json, or {} if the run in it is not finished (a finished one whose config
        changes is not).

    Raises:
        ConfigError: the directory holds a run of another config; the message lists the differences.
    """
    path = pathlib.Path(workdir)
    if path.exists() and not path.is_dir():
        raise ConfigError(f'--workdir={workdir} is a file; name a directory')
    new = json.loads(config.to_json())
    stored = path / CONFIG
    started = (path / RESULT).exists() or any(path.glob('checkpoints/[0-9]*'))
    if started and stored.exists() and not allow_config_change:
        found = differences(read_json(stored), new)
        if found:
            raise ConfigError(
                f'{workdir} holds a run of another config:\n    '
                + '\n    '.join(f'{key}: {before} -> {after}' for key, before, after in found)
                + '\nUse another --workdir, or --allow_config_change to continue this one with the new values'
            )
    path.mkdir(parents=True, exist_ok=True)
    write_json(stored, new)
    result = path / RESULT
    return read_json(result) if result.exists() and not allow_config_change else {}


def read_json(path):
    """The content of a JSON file; ConfigError names a file that is not JSON."""
    try:
        return json.loads(path.read_text('utf-8'))
    except json.JSONDecodeError as error:
        raise ConfigError(f'{path} is not JSON ({error}); move it away to start anew') from error


def write_json(path, content):
    """Writes a JSON file whole or not at all."""
    part = path.with_suffix('.part')
    part.write_text(json.dumps(content, indent=2, sort_keys=True) + '\n', 'utf-8')
    part.replace(path)
