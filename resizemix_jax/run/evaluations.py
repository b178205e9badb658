"""What --mode=evaluate did with a run: WORKDIR/evaluations.jsonl, a row each time."""

import logging

from resizemix_jax import config as configs
from resizemix_jax.devices import processes
from resizemix_jax.errors import RunError
from resizemix_jax.run import files, identity, workdir

log = logging.getLogger(__name__)

EVALUATIONS = 'evaluations.jsonl'
UNSEEN = (*configs.LOGGING_KEYS, *configs.GENERATE_KEYS, 'num_devices', 'workers', 'remat')


def changes(path, config):
    """Where a config differs from that of the run in the workdir `path`, logged: a list of (key, run's, its).

    Empty without a stored config.
    """

    def compare():
        if not files.exists(path / workdir.CONFIG):
            return []
        return configs.differences(workdir.read_config(path), workdir.stored(config), UNSEEN)

    found = [tuple(change) for change in processes.run_on_host_0(compare)]
    if found:
        lines = (f'\n    {key}: {before} -> {after}' for key, before, after in found)
        log.warning("Evaluated with other values than the run's own:%s", ''.join(lines))
    return found


def check_classes(path, split):
    """Warns if the classes of a split have other names, or another order, than those of the run's data."""
    for row in workdir.identities(path)[-1:]:
        known = row.get('data', {}).get('eval', {}).get('class_names')
        if known not in (None, identity.fingerprint(split)['class_names']):
            log.warning(
                'The classes of this data differ from those that the run was trained on, in names or order: '
                'what the network calls class k need not be class k here'
            )


def add(path, plan, split, changes, values):
    """Appends a row of an evaluation: its values (name -> number), what was evaluated, and with what."""

    def append():
        row = {'step': values['last_step'], **values, 'dataset': plan.config.dataset}
        row |= {'data': identity.fingerprint(split), 'changes': changes, **identity.collect(plan.devices)}
        try:
            file = files.Appender(path / EVALUATIONS)
            file.append_row(row)
            file.close()
        except RunError as error:  # a run of somebody else
            log.warning('The result is not kept: %s', error)

    processes.run_on_host_0(append)
