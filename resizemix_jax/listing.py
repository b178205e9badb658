"""What the command prints of a table: the commands that make its runs, and a result beside the paper's."""

import shlex
from typing import NamedTuple

from resizemix_jax.arguments import choose
from resizemix_jax.config import stored
from resizemix_jax.config_files import beside, load
from resizemix_jax.errors import ConfigError
from resizemix_jax.key_groups import DEVICE_KEYS, GENERATE_KEYS, LOGGING_KEYS, differences, group
from resizemix_jax.run.clock import duration
from resizemix_jax.run.results import TEST
from resizemix_jax.table_rules import COST, USES

PROGRAM = ('python', 'main.py')


class Command(NamedTuple):
    """A command of the trainer: a mode with the config file `path`, its argument and overrides, in a workdir.

    Attributes:
        overrides: key -> value.
        makes: the file or directory that it leaves; '' where it is the workdir's result.
        needs: the `target`s of the commands that must be done before it.
    """

    mode: str
    path: str
    argument: str
    overrides: dict
    workdir: str
    makes: str = ''
    needs: tuple = ()

    @property
    def target(self):
        """The path of what it makes."""
        return self.makes or self.workdir

    @property
    def flags(self):
        """Its words after the program's name."""
        mode = [] if self.mode == 'train' else [f'--mode={self.mode}']
        return flags(self.path, self.argument, self.overrides, self.workdir) + mode


def flags(path, argument, overrides, workdir):
    """The flags that train with an argument of the config file `path`.

    Args:
        overrides: key -> value; lists are written as tuples.
    """
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in sorted(overrides.items())}
    config = f'--config={path}:{argument}' if argument else f'--config={path}'
    return [config, *(f'--config.{key}={value}' for key, value in values.items()), f'--workdir={workdir}']


def commands(table, path, cell, root='runs', overrides=None, dependents=()):
    """The commands that make a cell's run, in order: those of the runs that it needs first, and its own last.

    Args:
        table: `tables.Table`.
        path: of its file.
        cell: see `Table.cells`.
        root: the directory of all the workdirs.
        overrides: key -> value, for the run and for the runs of the same table that it needs; those of other
            tables take only the keys that do not make another experiment.
        dependents: the (table, row) that need this one, to find a circle.

    Raises:
        ConfigError: a row needs one that does not exist or is refused, or rows need each other.
    """
    given, own = dict(overrides or {}), (table.name, cell['row'])
    if own in dependents:
        words = ', which needs '.join(f'{name} of {of}' for of, name in (*dependents, own))
        raise ConfigError(f'rows must not need each other: {words}')
    made, needs, taken = [], [], {}
    for of, name, what in table.row(cell['row']).needs:
        other_path = path if of == table.name else beside(path, of)
        other = table if of == table.name else load(other_path).table
        if other is None:
            raise ConfigError(
                f'{table.name}, row {cell["row"]} needs a run of {of}, and {other_path} has no TABLE'
            )
        inherited = {k: v for k, v in given.items() if other is table or group(k) == 'free'}
        chain = commands(other, other_path, other.needed(name, cell), root, inherited, (*dependents, own))
        mode, below, key = USES[what]
        taken[key] = f'{chain[-1].workdir}/{below}' if below else chain[-1].workdir
        if mode:
            chain.append(chain[-1]._replace(mode=mode, makes=taken[key], needs=(chain[-1].target,)))
        needs.append(chain[-1].target)
        made += [command for command in chain if command not in made]
    workdir = f'{root}/{table.directory(cell)}'
    own_run = Command('train', str(path), table.argument(cell), given | taken, workdir, needs=tuple(needs))
    return [*made, own_run]


def listing(table, path, program=PROGRAM):
    """A table's rows as text: title, the paper's numbers, and the commands in order or the reason against it.

    Args:
        table: `tables.Table`.
        path: of its file.
        program: the words before the flags.
    """
    lines = [table.title, '']
    for row in table.rows:
        lines.append(f'{row.title}  (paper: {_numbers(row)})')
        if row.refused:
            lines.append(f'    cannot be run: {row.refused}')
            continue
        for cell in table.cells(rows=[row.name]):
            lines += [
                f'    {shlex.join([*program, *command.flags])}' for command in commands(table, path, cell)
            ]
    return '\n'.join(lines)


def setting(config, length=True):
    """The network, the data and, if `length`, the length of a config in words.

    Args:
        config: ConfigDict, or dict as stored.
    """
    sizes = {key: value for key, value in config['model_args'].items() if type(value) is int}
    words = ', '.join(f'{key}={value}' for key, value in sorted(sizes.items()))
    network = f'{config["model"]} ({words})' if words else config['model']
    steps, epochs = config['steps'], config['epochs']
    count, unit = (steps, 'step') if steps else (epochs, 'epoch')
    end = f', {count} {unit}{"s" if count > 1 else ""}' if length else ''
    share = config['held_out']
    part = f', {100 * share:g} % of the training images held out' if length and share else ''
    return f'{network} on {config["dataset"]}{end}{part}'


def changes(table, config):
    """How a config differs from the table's cell that it names: a list of (key, the table's value, its own).

    The path of a run that it started from does not count, since every seed has its own. The settings that
    make a set from such a run do.

    Args:
        table: `tables.Table`.
        config: as stored.

    Raises:
        ValueError: the table has no such cell.
    """
    choose('column', config['column'], [column.name for column in table.columns])
    started_from = [USES[what][2] for _, _, what in table.row(config['row']).needs]
    free = (*LOGGING_KEYS, *DEVICE_KEYS, *(() if started_from else GENERATE_KEYS), *started_from)
    return differences(table.resolve(config), config, free)


def conclusion(table, config, result, score):
    """A run's scores, and the paper's number of its cell, as text.

    Args:
        table: `tables.Table`, or None for a config file without one.
        config: of the run, a ConfigDict.
        result: name -> value, of a training or an evaluation; `evaluated_on` is the split, 'eval' by default.
        score: the name of the task's main measure, a share of 1; the result's values are named by it.
    """
    split = result.get('evaluated_on', 'eval')
    where = '' if split == 'eval' else f', on {split}'
    lines = [
        f'{name}: {100 * value:.2f} %{"" if name.startswith(TEST) else where}'
        for name, value in result.items()
        if score in name.split('_')
    ]
    row = next((row for row in table.rows if row.name == config['row']), None) if table else None
    number = row.paper.get(config['column']) if row else None
    if number is not None:
        changed = _keys(changes(table, stored(config)))
        reasons = [f'overrides {", ".join(changed)}'] if changed else []
        if config['scale'] != 'paper':
            reasons.insert(0, f'is {setting(config)}, at scale={config["scale"]}')
        if where and not any(name.startswith(TEST) for name in result):
            reasons.append(f'is measured on {split}')
        not_ours = f'; not comparable, since this run {" and ".join(reasons)}' if reasons else ''
        lines.append(f'the paper, {row.title}, {config["column"]}: {number:.2f} %{not_ours}')
    return '\n'.join(lines)


def _keys(found):
    """The keys of differences: of another member its name, and not those of its keywords."""
    keys = [key for key, _, _ in found]
    return [key for key in keys if '.' not in key or key.partition('_args.')[0] not in keys]


def finished(workdir, result):
    """Where a finished run is, and what it took, as text.

    Args:
        result: the content of its result.json.
    """
    compiled = result.get('compile_seconds')
    part = '' if compiled is None else f', {duration(compiled)} of it compilation'
    return f'{workdir}: finished after {result["steps"]} steps in {duration(result["seconds"])}{part}'


def next_commands(command, table, program=PROGRAM):
    """The commands that show a finished run, as text.

    Args:
        command: `Command` of the run.
        table: `tables.Table`, or None.
        program: the words before the flags.
    """
    modes = {'gallery': 'What the network is shown', 'report': 'The report'}
    return '\n'.join(
        f'{words}:\n    {shlex.join([*program, *command._replace(mode=mode).flags])}'
        for mode, words in modes.items()
        if table or mode != 'report'
    )


def _numbers(row):
    """The paper's numbers of a row with their units: scores in %, the cost of the search in hours."""
    forms = {COST: '{:g} GPU hours'}
    words = (f'{name} {forms.get(name, "{:.2f} %").format(n)}' for name, n in row.paper.items())
    return ', '.join(words) or 'no number'
