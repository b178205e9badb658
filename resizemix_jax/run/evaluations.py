"""What --mode=evaluate did with a run: WORKDIR/evaluations.jsonl, a row each time."""

import logging

from resizemix_jax import key_groups
from resizemix_jax.devices import processes
from resizemix_jax.errors import ConfigError, RunError
from resizemix_jax.input.held_out import EVAL, HELD_OUT
from resizemix_jax.run import files, identity, workdir

log = logging.getLogger(__name__)

EVALUATIONS = 'evaluations.jsonl'
UNSEEN = (*key_groups.LOGGING_KEYS, *key_groups.GENERATE_KEYS, 'num_devices', 'workers', 'remat')


def changes(path, config):
    """Where a config differs from that of the run in the workdir `path`, logged: a list of (key, run's, its).

    Empty without a stored config.
    """

    def compare():
        if not files.exists(path / workdir.CONFIG):
            return []
        return key_groups.differences(workdir.read_config(path), workdir.stored(config), UNSEEN)

    found = [tuple(change) for change in processes.run_on_host_0(compare)]
    if found:
        lines = (f'\n    {key}: {before} -> {after}' for key, before, after in found)
        log.warning("Evaluated with other values than the run's own:%s", ''.join(lines))
    return found


def check_split(plan, name):
    """Raises ConfigError unless the dataset of a plan has the split `name`."""
    if name not in plan.dataset.sizes:
        part = '' if plan.config.held_out else '; held_out is one of runs with --config.held_out=SHARE'
        raise ConfigError(
            f'--split={name}: dataset={plan.config.dataset!r} has: {", ".join(plan.dataset.sizes)}{part}'
        )


def check_held_out(path, name, split):
    """Raises ConfigError if the split `name` is 'held_out', and not what the run held out of its training."""
    now = identity.fingerprint(split)
    for row in workdir.identities(path)[-1:] if name == HELD_OUT else ():
        part = row.get('data', {}).get(name, {})
        if any(now.get(key) != part.get(key) for key in ('rows', 'files')):
            raise ConfigError(
                f'--split={name}: these are not the examples that the run in {path} held out, so it trained '
                "on some of them. Leave held_out, seed and dataset as they are in the run's own config"
            )


def check_classes(path, split):
    """Warns if the classes of a split have other names, or another order, than those of the run's data."""
    for row in workdir.identities(path)[-1:]:
        known = row.get('data', {}).get('eval', {}).get('class_names')
        if known not in (None, identity.fingerprint(split)['class_names']):
            log.warning(
                'The classes of this data differ from those that the run was trained on, in names or order: '
                'what the network calls class k need not be class k here'
            )


def add(path, plan, split, changes, values, name=EVAL):
    """Appends a row of an evaluation: its values (name -> number), what was evaluated (a `dataset.Split`, and
    its `name`), and with what."""

    def append():
        row = {'step': values['last_step'], **values, 'dataset': plan.config.dataset, 'split': name}
        row |= {'data': identity.fingerprint(split), 'changes': changes, **identity.collect(plan.devices)}
        try:
            file = files.Appender(path / EVALUATIONS)
            file.append_row(row)
            file.close()
        except RunError as error:  # a run of somebody else
            log.warning('The result is not kept: %s', error)

    processes.run_on_host_0(append)
