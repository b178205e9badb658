"""The directory of a run: whose it is, and what happens to the run in it.

config.json     the config of the latest start
identity.jsonl  a row for every start, see `identity`
metrics.jsonl   the rows of metrics; events/ has them for TensorBoard
checkpoints/    the newest states; best/ has the best one
result.json     once the run is finished
loggers.json    what the run's logger was given, see `delivery`
evaluations.jsonl  what --mode=evaluate found, see `evaluations`
.lock           of the process that trains in it
"""

import contextlib
import json
import logging
from typing import NamedTuple

from resizemix_jax import config as configs
from resizemix_jax import key_groups, migrations
from resizemix_jax.devices import processes
from resizemix_jax.errors import ConfigError, DataError
from resizemix_jax.run import checkpoint, files, identity, lock, position, results, rows, writers

log = logging.getLogger(__name__)

CONFIG, RESULT, LOCK = 'config.json', 'result.json', '.lock'
PATTERNS = '[', '*', '?', '\\'


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

    Yields:
        The `lock.Owner`, or None in processes but the first one.

    Raises:
        ConfigError: another process owns it (the message names it), it is a file, or checkpoints cannot be
            saved to a directory of that name.
    """
    with contextlib.ExitStack() as stack:
        owners = []

        def acquire():
            _check_path(files.absolute(workdir))
            files.make_directory(workdir)
            owners.append(stack.enter_context(lock.lock(workdir / LOCK)))

        processes.run_on_host_0(acquire)
        yield owners[0] if owners else None


def _check_path(path):
    """Raises ConfigError for a name with characters that Orbax, listing its files, takes for a pattern."""
    found = [character for character in PATTERNS if character in str(path)]
    if found:
        raise ConfigError(
            f'--workdir={path}: the checkpoints of a run cannot be saved below a directory whose name has '
            f'{" or ".join(found)}; rename it, or use another --workdir'
        )


def open_workdir(workdir, config, allow_config_change=False):
    """Looks at a workdir that `config` is to be trained in; changes nothing.

    A directory without a checkpoint has nothing to lose and takes any config. Else keys that only change
    where and how a run runs may differ, and those that shift it, as long as it is not finished: see
    `key_groups.group`.

    Args:
        workdir: pathlib.Path.
        config: ConfigDict.
        allow_config_change: let any key differ.

    Returns:
        An `Opened`, the same on all processes.

    Raises:
        ConfigError: the directory holds a run of another config; the message lists the differences.
    """
    return Opened(*processes.run_on_host_0(lambda: _open(workdir, stored(config), allow_config_change)))


def stored(config):
    """A config as its run stores it: with every keyword of its functions."""
    return json.loads(json.dumps(configs.complete(configs.stored(config))))


def _open(workdir, new, allow):
    finished = files.exists(workdir / RESULT)
    started = finished or any(name.isdigit() for name in files.names(workdir / checkpoint.NEWEST))
    if not started:
        return {}, {}, []
    if not files.exists(workdir / CONFIG):
        if allow:
            return {}, {}, []
        raise ConfigError(
            f'{workdir} holds a run without its {CONFIG}. Bring it back from a copy, use another --workdir, '
            'or --allow_config_change to continue the run with the config of this command'
        )
    run = read_config(workdir)
    found = key_groups.differences(run, new)
    if finished:
        result = _read_result(workdir / RESULT, run)
        earlier = _migrated(workdir / RESULT, result['config'])
        found += [d for d in key_groups.differences(earlier, new) if d not in found]
        if not found:
            _check_curves(workdir, result)
            return result, run, []
    refused = found if finished else [d for d in found if key_groups.group(d[0]) == 'experiment']
    if refused and not allow:
        raise ConfigError(
            f'{workdir} holds a {"finished " if finished else ""}run of another config:\n    '
            + '\n    '.join(f'{key}: {before} -> {after}' for key, before, after in refused)
            + '\nUse another --workdir, or --allow_config_change to continue this one with the new values'
        )
    return {}, run, found


def read_config(workdir):
    """The stored config of a workdir's run, a dict in the current format.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    return _migrated(workdir / CONFIG, files.read_json(workdir / CONFIG))


def _migrated(path, stored):
    try:
        return configs.migrate(stored)
    # A value of a wrong type, such as a name that is null, raises any of these.
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f'the config in {path} cannot be used: {error}') from error


def _read_result(path, config):
    """The content of result.json; ConfigError unless it is that of a finished run."""
    result = files.read_json(path)
    score = results.score_of(config)
    missing = [key for key in (*results.KEYS, f'{score}_last', f'{score}_best') if key not in result]
    if missing:
        raise ConfigError(
            f'{path} lacks {", ".join(missing)}: it is damaged. Move it away and run the same command, which '
            'writes it again from the rows of metrics'
        )
    return result


def _check_curves(workdir, result):
    """Warns if the rows of a finished run are no longer those of its result, which a report draws."""
    try:
        if 'rows' in result:
            rows.check(workdir / writers.METRICS, result['steps'], result['rows'])
    except DataError as error:
        log.warning('The run is finished, but %s', error)


def check_rows(workdir, step, record, allow_config_change=False):
    """Checks that the rows of a run's files are those that its newest checkpoint was saved with.

    Args:
        workdir: pathlib.Path.
        step: of the newest checkpoint, 0 without one.
        record: of `Checkpoints.record`; of older versions it has no rows.
        allow_config_change: only warn.

    Raises:
        DataError: rows are missing, or were changed.
    """

    def check():
        found = [row['step'] for row in files.read_rows(workdir / identity.IDENTITY)[0]]
        if not step and any(found):
            raise DataError(
                f'{workdir} has lost its checkpoints: the run was continued from step {max(found)} before. '
                'Bring them back from a copy, or start again in another --workdir or by --allow_config_change'
            )
        for name, summary in record.get('rows', {}).items():
            rows.check(workdir / name, step, summary)

    try:
        processes.run_on_host_0(check)
    except DataError as error:
        if not allow_config_change:
            raise
        log.warning('%s', error)


def begin(workdir, opened, plan, splits, step, allow_config_change=False, initial=None):
    """Records that a run starts, or continues: writes its identity and its config.

    Args:
        workdir: pathlib.Path, `owned`.
        opened: of `open_workdir`.
        plan: `build.Plan`.
        splits: name -> Split: those that are trained on, first the one that makes the epochs, 'eval', and
            the held-out part if there is one.
        step: of the checkpoint that it continues from, or 0.
        allow_config_change: continue although the data is another.
        initial: `weights.initial.Initial` that a new run starts from, or None.

    Returns:
        offset: step - offset is the step of the config at the same place in the data, see `position`.

    Raises:
        ConfigError: the data, or what is held out of it, is another, or its place in the data cannot be kept
            with the new batch size.
    """
    return processes.run_on_host_0(
        lambda: _begin(workdir, opened, plan, splits, step, allow_config_change, initial)
    )


def _begin(workdir, opened, plan, splits, step, allow, initial):
    config = plan.config
    known = [
        row
        for row in files.read_rows(workdir / identity.IDENTITY)[0]
        if 0 < step >= row['step'] and {'offset', 'batch_size'} <= row.keys()
    ]
    if step and not known:  # of a version that recorded no identity
        known = [{'step': 0, 'offset': 0, 'batch_size': opened.config.get('batch_size', config.batch_size)}]
    last = known[-1] if known else {'offset': 0, 'batch_size': config.batch_size}
    data = {name: identity.fingerprint(split) for name, split in splits.items()}
    if step:
        identity.check_held_out(last.get('data', {}), data)
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
    row = {'run': last.get('run') or identity.new_run(), 'step': step, 'offset': offset}
    row |= {'batch_size': config.batch_size, 'data': data}
    row |= ({'init': initial.record} if initial else {}) | identity.collect(plan.devices)
    if step:
        _say_what_changes_numbers(workdir, opened.config, last.get('versions', {}), row['versions'])
    files.write_rows(workdir / identity.IDENTITY, [*known, row])
    files.write_json(workdir / CONFIG, stored(config))
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
