"""From runs to the cells of a table: which run is of which cell, and which differ from it in the same way."""

from collections.abc import Callable
from typing import NamedTuple

from resizemix_jax.config import differences
from resizemix_jax.errors import ConfigError
from resizemix_jax.report import runs

CHOICES = ('recipe', 'scale')  # what a table offers besides the paper's own
ANOTHER = {'scale', 'dataset', 'model', 'epochs', 'steps'}  # what no number of the paper is comparable with
UNSEEN = ('log_every_steps', 'save_every_epochs')  # what is written more often is no other training


class Layout(NamedTuple):
    """A table, as far as the report needs it.

    Attributes:
        name: as the configs name it.
        title: a sentence.
        rows: ROWS of its file.
        columns: COLUMNS of its file.
        defaults: every key with its default: what a config lacks is newer than its run.
        resolve: a stored config -> the config of the table's cell that it names, as a dict; ValueError if
            there is none.
        flags: (stored config, overrides, workdir) -> the flags of the command that makes the run.
    """

    name: str
    title: str
    rows: tuple
    columns: tuple
    defaults: dict
    resolve: Callable
    flags: Callable


class Group(NamedTuple):
    """The runs that differ from the table's cells in the same way.

    Attributes:
        marks: the differences as 'key=value (the table has: value)'; () for none.
        overrides: key -> value of the differences, less recipe and scale, which the cell itself names.
        cells: (row, column) -> its Runs, one a seed.
    """

    marks: tuple
    overrides: dict
    cells: dict

    @property
    def comparable(self):
        """Whether the paper's numbers are of the same network, data and length of training."""
        keys = (mark.partition('=')[0].partition('.')[0].removesuffix('_args') for mark in self.marks)
        return not set(keys) & ANOTHER


def collect(directory, layout):
    """The runs of a table below a directory, in groups: a list of Groups, and sentences on what was left out.

    Raises:
        ConfigError: there is none.
    """
    if not layout.rows:
        raise ConfigError(f'{layout.name} has no rows to report; name a table, e.g. configs/table3.py')
    if not directory.is_dir():
        raise ConfigError(f'--workdir={directory} is no directory; name the one that holds the runs')
    found, problems = runs.find(directory)
    mine = [run for run in found if run.config['table'] == layout.name]
    others = {}
    for run in found:
        if run.config['table'] != layout.name:
            name = run.config['table'] or 'no table'
            others[name] = others.get(name, 0) + 1
    counts = ', '.join(f'{name} ({count})' for name, count in sorted(others.items()))
    if counts:
        problems.append(f'Runs of other tables, left out: {counts}')
    groups = _group(mine, layout, problems)
    if not groups:
        raise ConfigError(
            f'{directory} holds no run of {layout.name}' + ''.join(f'\n    {line}' for line in problems)
        )
    return groups, problems


def marks(run, layout):
    """In what a run differs from the table's cell that it names: a list of (key, the table's value, its own).

    Raises:
        ValueError: the table has no such cell.
    """
    config = layout.defaults | run.config
    chosen = [(key, layout.defaults[key], config[key]) for key in CHOICES]
    found = [difference for difference in chosen if difference[1] != difference[2]]
    return found + [d for d in differences(layout.resolve(config), config) if d[0] not in UNSEEN]


def _group(mine, layout, problems):
    """The Groups: the table's own first, then those with most runs. Adds to `problems`."""
    groups = {}
    for run in mine:
        try:
            found = marks(run, layout)
        except (ValueError, TypeError) as error:
            problems.append(f'{run.path}: left out, since the table has no such cell: {error}')
            continue
        key = tuple(f'{name}={value} (the table has: {before})' for name, before, value in found)
        overrides = {name: value for name, _, value in found if name not in CHOICES}
        cells = groups.setdefault(key, Group(key, overrides, {})).cells
        add(cells.setdefault(run.cell, []), run, problems)
    size = {key: sum(map(len, group.cells.values())) for key, group in groups.items()}
    return [groups[key] for key in sorted(groups, key=lambda key: (key != (), -size[key], key))]


def add(seeds, run, problems):
    """Adds a run to those of its config; of two of a seed, a finished one stays, and else the first."""
    for k, other in enumerate(seeds):
        if other.config['seed'] == run.config['seed']:
            keep, leave = (run, other) if run.result and not other.result else (other, run)
            seeds[k] = keep
            problems.append(f'{leave.path}: left out, since {keep.path} is of the same config and seed')
            return
    seeds.append(run)


def reached(seeds, accuracy):
    """The accuracies of the finished runs, in %."""
    return [100 * run.result[f'top1_{accuracy}'] for run in seeds if run.result]
