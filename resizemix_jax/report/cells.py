"""From runs to the cells of a table, and groups of runs that differ from the table in the same way."""

from typing import NamedTuple

from resizemix_jax import listing
from resizemix_jax.errors import ConfigError
from resizemix_jax.input.held_out import HELD_OUT
from resizemix_jax.listing import setting
from resizemix_jax.report import runs
from resizemix_jax.tables import CHOICES

# Keys that change the network, the data or the length of the training: the paper's numbers do not apply.
KEYS_THAT_RENAME = {'scale', 'dataset', 'model'}  # the columns' names are of another network or other data
KEYS_THAT_BREAK_COMPARISON = KEYS_THAT_RENAME | {'epochs', 'steps', 'held_out'}


class Group(NamedTuple):
    """The runs that differ from the table's cells in the same way.

    Attributes:
        differences: (key, the table's value, the runs' value) of each difference; () for none.
        cells: (row, column) -> its Runs, one a seed.
    """

    differences: tuple
    cells: dict

    @property
    def labels(self):
        """The differences in words."""
        return tuple(f'{key}={value} (the table has: {before})' for key, before, value in self.differences)

    @property
    def overrides(self):
        """Config key -> value of the differences, except recipe and scale, which the cell itself names."""
        return {key: value for key, _, value in self.differences if key not in CHOICES and value != 'absent'}

    @property
    def comparable(self):
        """Whether the paper's numbers are of the same network, data and length of training."""
        return not self._changed & KEYS_THAT_BREAK_COMPARISON

    @property
    def renamed(self):
        """Whether the network or the data is not the one that the table and its columns are named after."""
        return bool(self._changed & KEYS_THAT_RENAME)

    @property
    def _changed(self):
        return {key.partition('.')[0].removesuffix('_args') for key, _, _ in self.differences}

    @property
    def runs(self):
        return [run for seeds in self.cells.values() for run in seeds]

    @property
    def settings(self):
        """The networks, the data and the lengths of the runs, in words."""
        return ' and '.join(sorted({setting(run.config) for run in self.runs}))

    def title(self, column):
        """The name of a column; where the runs have another network or other data, those."""
        used = {
            setting(run.config, length=False)
            for (_, c), seeds in self.cells.items()
            if c == column
            for run in seeds
        }
        return f'{" and ".join(sorted(used))} in place of {column}' if self.renamed and used else column

    def by_row(self, rows, columns):
        """The cells that have runs, in the order of the table: a list of (row, column, its Runs).

        Args:
            rows: `tables.Row`s.
            columns: names.
        """
        found = [(row, column, self.cells.get((row.name, column), [])) for row in rows for column in columns]
        return [cell for cell in found if cell[2]]

    @property
    def score_title(self):
        """The main measure of the runs, in words."""
        return score_title(self.runs)


def held_out(some):
    """Those of some runs that were evaluated on a held-out part of the training images."""
    return [run for run in some if run.evaluated_on == HELD_OUT]


def score_title(some):
    """The main measure of runs, in words: one, or several if their tasks measure different things."""
    return ' or '.join(sorted({run.score_title for run in some}))


def collect(directory, table):
    """The runs of a table below a directory, in groups: a list of Groups, and sentences on what was left out.

    Args:
        directory: pathlib.Path.
        table: `tables.Table`.

    Raises:
        ConfigError: there is none.
    """
    if not directory.is_dir():
        raise ConfigError(f'--workdir={directory} is not a directory; name the one that holds the runs')
    found, problems = runs.find(directory)
    others = {}
    for run in found:
        if run.config['table'] != table.name:
            name = run.config['table'] or 'no table'
            others[name] = others.get(name, 0) + 1
    counts = ', '.join(f'{name} ({count})' for name, count in sorted(others.items()))
    if counts:
        problems.append(f'not shown, since they are of other tables: {counts}')
    groups = _group([run for run in found if run.config['table'] == table.name], table, problems)
    if not groups:
        raise ConfigError(
            f'{directory} holds no run of {table.name}' + ''.join(f'\n    {line}' for line in problems)
        )
    return groups, problems


def changes(run, table):
    """How a run differs from the cell that it names, recipe and scale included; see `listing.changes`.

    Raises:
        ValueError: the table has no such cell.
    """
    config = run.config
    chosen = [(key, 'paper', config[key]) for key in CHOICES if config[key] != 'paper']
    return chosen + listing.changes(table, config)


def _group(mine, table, problems):
    """The Groups: the table's own first, then those with most runs. Adds to `problems`."""
    groups = {}
    for run in mine:
        try:
            found = Group(tuple(changes(run, table)), {})
        except (ValueError, TypeError) as error:
            problems.append(runs.not_shown(run.path, f'the table has no such cell: {error}'))
            continue
        cells = groups.setdefault(found.labels, found).cells
        add(cells.setdefault(run.cell, []), run, problems)
    return sorted(groups.values(), key=lambda group: (group.labels != (), -len(group.runs), group.labels))


def add(seeds, run, problems):
    """Adds a run to those of its config. Of two runs of a seed a finished one stays, or else the first."""
    for k, other in enumerate(seeds):
        if other.seed == run.seed:
            keep, leave = (run, other) if run.result and not other.result else (other, run)
            seeds[k] = keep
            problems.append(runs.not_shown(leave.path, f'{keep.path} has the same config and seed'))
            return
    seeds.append(run)


def reached(seeds, accuracy):
    """The scores of the finished runs on the test split in %, of those that have this one."""
    return [value for run in seeds if (value := run.reached(accuracy)) is not None]


def times(seeds):
    """What the finished runs took.

    Returns:
        Their seconds, without compilation where all of them recorded it; and whether it is in them.
    """
    done = [run.result for run in seeds if run.result]
    included = any(result.get('compile_seconds') is None for result in done)
    return [result['seconds'] - (0 if included else result['compile_seconds']) for result in done], included


def step_times(seeds):
    """The seconds of a training step, one for every row of the finished runs that measured some.

    Without compilation, evaluation and saving. None of a run whose batch size was changed on its way.
    """
    found = []
    for run in (run for run in seeds if run.result):
        if len({one.get('batch_size') for one in run.identity}) < 2:
            rates = [row['images_per_second'] for row in run.rows if row.get('images_per_second')]
            found += [run.config['batch_size'] / rate for rate in rates]
    return found
