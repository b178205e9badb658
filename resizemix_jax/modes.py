"""What the command can do: --mode=NAME is the function NAME of this file, which returns the text to print.

Each imports its program when it runs, so --help, --list and a wrong flag answer at once.
"""

import pathlib
import shlex
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from resizemix_jax import config as configs
from resizemix_jax import config_files, key_groups, listing
from resizemix_jax.errors import ConfigError, RunError

SCRIPT = 'resizemix-jax'  # the name of the installed command


class Request(NamedTuple):
    """A command, read.

    Attributes:
        config: ConfigDict, overrides included, locked; None in a mode without one.
        workdir: of the run, or the directory of many.
        path: of the config file.
        argument: of the config, after the colon.
        table: of the config file or of the run's own config, a `tables.Table`, or None.
        overrides: key -> value.
        options: name -> value of all flags.
    """

    config: Any
    workdir: str
    path: str
    argument: str
    table: Any
    overrides: dict
    options: dict


def train(request):
    """Trains, or continues."""
    from resizemix_jax.train import train_and_evaluate

    result = train_and_evaluate(request.config, request.workdir, request.options['allow_config_change'])
    command = listing.Command('train', request.path, request.argument, request.overrides, request.workdir)
    return '\n'.join([
        listing.finished(request.workdir, result), _conclusion(request, result),
        listing.next_commands(command, request.table, program()),
    ])  # fmt: skip


def evaluate(request):
    """Evaluates the newest and the best checkpoint, by the run's own config if none is given."""
    from resizemix_jax import perturbations, robustness
    from resizemix_jax.evaluate import Asked, evaluate_checkpoint
    from resizemix_jax.predictions import FOLDER

    asked = Asked(**{name: request.options[name] for name in Asked._fields})
    split = request.options['split']
    values = evaluate_checkpoint(request.config, request.workdir, split, asked)
    where = {'evaluated_on': split}
    lines = [_conclusion(request, values | where)]
    if asked.robustness:
        chosen = perturbations.choose(asked.robustness)
        plain = robustness.without(values, chosen)
        lines = [_conclusion(request, plain | where), robustness.summary(values, _score(request), chosen)]
    if asked.predictions:
        lines.append(f'written: {request.workdir}/{FOLDER}')
    return '\n'.join(lines)


def gallery(request):
    """Draws what the network is shown."""
    from resizemix_jax.gallery import gallery

    config, table, options = request.config, request.table, request.options
    variants = table.variants(config) if table else ((config.mixing, config),)
    paths = gallery(config, request.workdir, variants, options['images'], options['image_size'])
    return '\n'.join(map(str, paths))


def generate(request):
    """Mixes the training images with the network of the workdir, and writes a dataset to train on."""
    from resizemix_jax.generate import generate

    made = generate(request.config, request.workdir, request.options['output'])
    return (
        f'{made.tried} images tried, {made.kept} kept ({100 * made.kept / made.tried:.1f} %), after '
        f'{made.steps:.1f} steps on average; written to {made.directory}. Train on them with:\n'
        f'    {_student(request, made.directory)}'
    )


def _student(request, directory):
    """The command that trains on a generated set what the request would train."""
    own = ('dataset', 'data_dir', *key_groups.GENERATE_KEYS)
    kept = {key: value for key, value in request.overrides.items() if key.partition('.')[0] not in own}
    changes = kept | {'dataset': 'generated', 'data_dir': directory}
    words = listing.flags(request.path, request.argument, changes, f'{directory}_run')
    return shlex.join([*program(), *words])


def export(request):
    """Writes the network of the workdir as files for other programs, with a model card."""
    from resizemix_jax.export import export

    def describe(score):
        return _conclusion(request, score)

    directory = export(request.config, request.workdir, request.options['output'], describe)
    return f'written to {directory}; its README.md says how to use it'


def report(request):
    """Writes the table of the runs below the workdir, beside the paper's numbers."""
    from resizemix_jax.report import tables as reports

    asked = request.workdir, _table(request), request.path, request.options['accuracy']
    interval = request.options['interval']
    paths = reports.watch(*asked, interval) if request.options['watch'] else reports.write(*asked)
    return '\n'.join(map(str, paths))


def sweep(request):
    """Runs the cells of a table, each in its own directory below the workdir, then the report."""
    from resizemix_jax import sweep as sweeps

    try:
        jobs = _jobs(request)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if request.options['dry_run']:
        return sweeps.plan(jobs)
    outcome = sweeps.run_all(jobs)
    if not outcome.failed:
        return f'{outcome}\n{report(request)}'
    try:
        text = report(request)
    except ConfigError as error:  # the table's own runs are among those that failed
        text = f'No report: {error}'
    raise RunError(f'{outcome}\n{text}')


def compare(request):
    """Compares the runs in the workdir with those in another directory."""
    from resizemix_jax.report.compare import compare as compared

    if not request.options['other']:
        raise ConfigError('--other=DIR is needed: the runs to compare those in --workdir with')
    return compared(request.workdir, request.options['other'], request.options['accuracy'])


def compile(request):
    """Compiles the training step for a target, which need not be here, and says whether it fits."""
    from resizemix_jax.compile import compile_step

    reports = compile_step(request.config, request.options['target'])
    text = '\n'.join(map(str, reports))
    if not all(report.fits for report in reports):
        raise RunError(text)
    return text


def _conclusion(request, result):
    return listing.conclusion(request.table, request.config, result, _score(request))


def _score(request):
    from resizemix_jax.run import results

    return results.score_of(request.config)


def _table(request):
    if request.table is None:
        raise ConfigError(f'{request.path} has no TABLE; name a table, e.g. --config=configs/table3.py')
    return request.table


def _jobs(request):
    """The `sweep.Job`s that make the chosen cells of a table, each after those that it needs."""
    from resizemix_jax.sweep import Job

    table, options, config = _table(request), request.options, request.config
    _check_sweep(table, request)
    cells = table.cells(options['rows'], options['columns'], options['seeds'], config.recipe, config.scale)
    chains = [
        listing.commands(table, request.path, cell, request.workdir, request.overrides) for cell in cells
    ]
    jobs = []
    for command in [command for chain in chains for command in chain]:
        stored = _stored(command)  # a generated set's too: a wrong override is found before the first run
        words = [sys.executable, sys.argv[0], *command.flags]
        job = Job(command.target, words, None if command.makes else stored, command.needs)
        jobs += [] if job in jobs else [job]
    return jobs


def _check_sweep(table, request):
    own = {'row': 'rows', table.column_key: 'columns', 'seed': 'seeds'}
    given = [item.partition('=')[0] for item in request.argument.split(',')]
    for key in [*given, *({'seed'} & request.overrides.keys())]:
        if key in own:
            raise ConfigError(f'{key} is chosen by --{own[key]} in a sweep, not in the config')


def _stored(command):
    config = config_files.load(command.path).get_config(command.argument)
    try:
        return configs.stored(configs.override(config, command.overrides))
    except (ValueError, TypeError) as error:
        raise ConfigError(f'{command.argument}: {error}') from error


class Mode(NamedTuple):
    """A program, and whether it needs a config and a workdir, and runs on several hosts.

    `own`: the config of the run in the workdir serves where no file is given.
    """

    run: Callable
    config: bool = True
    workdir: bool = True
    multihost: bool = False
    own: bool = False


MODES = {
    'train': Mode(train, multihost=True),
    'evaluate': Mode(evaluate, multihost=True, own=True),
    'gallery': Mode(gallery),
    'generate': Mode(generate),
    'export': Mode(export, own=True),
    'report': Mode(report),
    'sweep': Mode(sweep),
    'compare': Mode(compare, config=False),
    'compile': Mode(compile, workdir=False),
}


def program():
    """The words that start this program, for commands that are printed."""
    script = pathlib.Path(sys.argv[0]).name
    return (script,) if script == SCRIPT else listing.PROGRAM
