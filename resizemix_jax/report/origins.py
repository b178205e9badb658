"""How runs came about: the versions they were made with, the runs they started from, and their commands."""

import os
import pathlib
import shlex

from resizemix_jax import listing
from resizemix_jax.find import PACKAGE
from resizemix_jax.report import cells, runs
from resizemix_jax.report.page import NONE, Link, TextTable
from resizemix_jax.table_rules import USES

UNKNOWN = ('not recorded',) * 3


def started_from(group, rows, columns, accuracy, directory):
    """The runs that the runs of a group started from, as `Row.needs` has them: a line each.

    Args:
        group: `cells.Group`.
        rows, columns: `tables.Row`s, and names of columns.
        accuracy: 'last', 'best' or 'median10', of the other run.
        directory: of the report, which the links are relative to.
    """
    lines, others = [], []
    for row, column, seeds in group.by_row(rows, columns):
        for run, what in [(run, what) for run in seeds for _, _, what in row.needs]:
            path, other = _other(run, what, directory)
            others += [other] if other else []
            link = Link(path, path) if other else path or 'not recorded'
            lines.append((
                row.title, group.title(column), str(run.seed), what, link, _reached(other, accuracy),
            ))  # fmt: skip
    title = f'its {cells.score_title(others) or "score"}, %'
    return TextTable(('Row', 'column', 'seed', 'needs', 'started from', title), lines)


def made_with(group, rows, columns):
    """The identities of the finished runs: a line for each set of versions, commit and devices.

    A run that was continued with other versions stands in several lines.
    """
    found = {}
    for row, column, seeds in group.by_row(rows, columns):
        name = f'{row.title}, {group.title(column)}' if len(columns) > 1 else row.title
        for run in (run for run in seeds if run.result):
            for identity in dict.fromkeys(map(_identity, run.identity)) or [UNKNOWN]:
                found.setdefault(identity, {}).setdefault(name, []).append(str(run.seed))
    if set(found) <= {UNKNOWN}:
        found = {}
    lines = [
        (*identity, '; '.join(f'{name}: {", ".join(seeds)}' for name, seeds in names.items()))
        for identity, names in found.items()
    ]
    return TextTable(('Versions', 'commit', 'devices', 'seeds'), lines)


def commands(group, table, path, rows, columns):
    """The commands of the first seed of every cell, with those of the runs that it needs: a list of lines."""
    chains = [_chain(seeds[0], group, table, path) for _, _, seeds in group.by_row(rows, columns)]
    lines = [shlex.join([*listing.PROGRAM, *command.flags]) for chain in chains for command in chain]
    return list(dict.fromkeys(lines))


def _other(run, what, directory):
    """(path, Run) that a run started from: the path relative to `directory`, or as recorded if not found.

    The recorded path is looked up as it is, and then beside the run: both may have been moved together.
    """
    _, below, key = USES[what]
    recorded = _at(run.config, key)
    path = pathlib.Path(str(recorded).removesuffix(f'/{below}') if below else str(recorded))
    for place in (path, run.path.parent / path.name):
        if recorded and (other := runs.read(place)[0]):
            return os.path.relpath(place, directory), other
    return str(recorded), None


def _chain(run, group, table, path):
    """The commands that make a run: those of a sweep, if that would put it where it is; else its own."""
    needs = table.row(run.config['row']).needs
    sources = {USES[what][2]: _at(run.config, USES[what][2]) for _, _, what in needs}
    own = listing.Command(
        'train', str(path), table.argument(run.config), group.overrides | sources, str(run.path)
    )
    if not needs:
        return [own]
    try:
        chain = listing.commands(table, path, run.config, run.path.parent, group.overrides)
    except ValueError:  # the table that it needs is not here
        return [own]
    return chain if chain[-1].flags == own.flags else [own]


def _at(config, key):
    """The value of a key, or '' if the config has another member, without that keyword."""
    for part in key.split('.'):
        config = config.get(part, '')
    return config


def _reached(other, accuracy):
    if other is None:
        return NONE
    value = other.reached(accuracy)
    return runs.status(other) if not other.result else NONE if value is None else f'{value:.2f}'


def _identity(one):
    """(versions, commit, devices) of a row of identity, as text."""
    known = one.get('versions')
    known = known if isinstance(known, dict) else {}
    names = sorted(known, key=lambda name: (name != PACKAGE, name))
    versions = ', '.join(f'{name} {known[name]}' for name in names)
    commit = str(one.get('commit') or NONE)[:12] + (' with uncommitted changes' if one.get('dirty') else '')
    return versions or NONE, commit, str(one.get('devices') or NONE)
