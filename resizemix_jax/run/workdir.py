"""The directory of a run: whose it is, and what happens to the run in it.

config.json     the config of the latest start
identity.jsonl  a row for every start, see `identity`
metrics.jsonl   the rows of metrics; events/ has them for TensorBoard
checkpoints/    the newest states; best/ has the best one
result.json     once the run is finished
.lock           of the process that trains in it
"""

import contextlib
import json
import logging
from typing import NamedTuple

from resizemix_jax import config as configs
from resizemix_jax import migrations
from resizemix_jax.devices import processes
from resizemix_jax.errors import ConfigError
from resizemix_jax.run import checkpoint, files, identity, position

log = logging.getLogger(__name__)

CONFIG, RESULT, LOCK = 'config.json', 'result.json', '.lock'


class Opened(NamedTuple):
    """What a workdir holds.

    Attributes:
        result: the content of its result.json, or {} if the run is not finished.
        config: the stored config of its run, in the current format; {} if nothing of a run is there.
        changes: a list of (key, before, after), where the new config differs in a way that matters.
    """

    result: dict
    config: dict
    changes: list


@contextlib.contextmanager
def owned(workdir):
    """A context in which this run alone, of one process or of many, writes to a workdir; makes the directory.

    Raises:
        ConfigError: another process owns it (the message names it), or it is a file.
    """
    with contextlib.ExitStack() as stack:

        def acquire():
            files.make_directory(workdir)
            stack.enter_context(files.lock(workdir / LOCK))

        processes.run_on_host_0(acquire)
        yield


def open_workdir(workdir, config, allow_config_change=False):
    """Looks at a workdir that `config` is to be trained in; changes nothing.

    A directory without a checkpoint has nothing to lose and takes any config. Else keys that only change
    where and how a run runs may differ, and those that shift it, as long as it is not finished: see
    `config.group`.

    Args:
        workdir: pathlib.Path.
        config: ConfigDict.
        allow_config_change: let any key differ.

    Returns:
        An `Opened`, the same on all processes.

    Raises:
        ConfigError: the directory holds a run of another config; the message lists the differences.
    """
    return Opened(*processes.run_on_host_0(lambda: _open(workdir, _stored(config), allow_config_change)))


def _stored(config):
    """A config as its run stores it: with every keyword of its functions."""
    return json.loads(json.dumps(configs.complete(configs.stored(config))))


def _open(workdir, new, allow):
    finished = files.exists(workdir / RESULT)
    started = finished or any(name.isdigit() for name in files.names(workdir / checkpoint.NEWEST))
    if not started or not files.exists(workdir / CONFIG):
        return {}, {}, []
    stored = configs.migrate(files.read_json(workdir / CONFIG))
    found = configs.differences(stored, new)
    if finished:
        result = files.read_json(workdir / RESULT)
        if 'config' not in result:
            raise ConfigError(f'{workdir / RESULT} has no config: it is damaged. Move it away and run again')
        found += [d for d in configs.differences(configs.migrate(result['config']), new) if d not in found]
        if not found:
            return result, stored, []
    refused = found if finished else [d for d in found if configs.group(d[0]) == 'experiment']
    if refused and not allow:
        raise ConfigError(
            f'{workdir} holds a {"finished " if finished else ""}run of another config:\n    '
            + '\n    '.join(f'{key}: {before} -> {after}' for key, before, after in refused)
            + '\nUse another --workdir, or --allow_config_change to continue this one with the new values'
        )
    return {}, stored, found


def begin(workdir, opened, plan, splits, step, allow_config_change=False):
    """Records that a run starts, or continues: writes its identity and its config.

    Args:
        workdir: pathlib.Path, `owned`.
        opened: of `open_workdir`.
        plan: `build.Plan`.
        splits: name -> Split: those that are trained on, first the one that makes the epochs, and 'eval'.
        step: of the checkpoint that it continues from, or 0.
        allow_config_change: continue although the data is another.

    Returns:
        offset: step - offset is the step of the config at the same place in the data, see `position`.

    Raises:
        ConfigError: the data is another, or its place in the data cannot be kept with the new batch size.
    """
    return processes.run_on_host_0(
        lambda: _begin(workdir, opened, plan, splits, step, allow_config_change),
    )


def _begin(workdir, opened, plan, splits, step, allow):
    config = plan.config
    rows = [row for row in files.read_rows(workdir / identity.IDENTITY)[0] if 0 < step >= row['step']]
    if step and not rows:  # of a version that recorded no identity
        rows = [{'step': 0, 'offset': 0, 'batch_size': opened.config.get('batch_size', config.batch_size)}]
    last = rows[-1] if rows else {'offset': 0, 'batch_size': config.batch_size}
    data = {name: identity.fingerprint(split) for name, split in splits.items()}
    same_data = _same_data(last.get('data', {}), data, allow)
    offset, before = last['offset'], last['batch_size']
    trained = [splits[name] for name in plan.task.splits]
    if before != config.batch_size:
        offset = position.change(trained, config.seed, step, offset, before, config.batch_size, same_data)
    steps_per_epoch = trained[0].steps(config.batch_size)
    steps = config.steps or config.epochs * steps_per_epoch
    position.check_length(step - offset, steps, steps_per_epoch)
    if step and opened.changes:
        log.warning('%s', position.described(opened.changes, step, offset, steps, steps_per_epoch))
    row = {'step': step, 'offset': offset, 'batch_size': config.batch_size, 'data': data}
    row |= identity.collect(plan.devices)
    if step:
        _say_what_changes_numbers(workdir, opened.config, last.get('versions', {}), row['versions'])
    files.write_rows(workdir / identity.IDENTITY, [*rows, row])
    files.write_json(workdir / CONFIG, _stored(config))
    return offset


def _say_what_changes_numbers(workdir, config, before, now):
    """Warns of other libraries and of changed laws: the run ends with other numbers than an unbroken one.

    Args:
        workdir: its config.json is that of the last start.
        config: the same, migrated.
        before, now: library -> version.
    """
    if changed := identity.changed_versions(before, now):
        log.warning('This run was begun with other libraries (%s): it does not continue bit by bit', changed)
    if config:
        version = files.read_json(workdir / CONFIG).get('format', 1)
        for sentence in migrations.changed_laws(version, config):
            log.warning('Changed since this run was begun: %s', sentence)


def _same_data(before, now, allow):
    """Whether two fingerprints agree; if not, ConfigError, or a warning if that is allowed."""
    try:
        identity.check_data(before, now)
    except ConfigError as error:
        if not allow:
            raise
        log.warning('%s', error)
        return False
    return True


def identities(workdir):
    """The rows of identity.jsonl, the same on all processes."""
    return processes.run_on_host_0(lambda: files.read_rows(workdir / identity.IDENTITY)[0])


def finish(workdir, result):
    """Writes result.json."""
    processes.run_on_host_0(lambda: files.write_json(workdir / RESULT, result))
