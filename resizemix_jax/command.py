"""What the command can do: --mode=NAME is the function NAME of this file, which returns what is printed.

Each imports what it needs when it runs: --help, --list and a wrong flag answer at once.
"""

import json
import shlex
import sys
from typing import Any, NamedTuple

from absl import flags

from resizemix_jax import cells, show
from resizemix_jax import tables as common
from resizemix_jax.config import base

OPTIONS = (  # the flags that belong to one mode, or two
    flags.DEFINE_bool('allow_config_change', False, 'train: although the config of the workdir was another.'),
    flags.DEFINE_string('images', '', 'gallery: a directory of your own pictures to mix.'),
    flags.DEFINE_integer('image_size', 224, 'gallery: their side, pixels.', lower_bound=16),
    flags.DEFINE_string('output', '', 'generate: the new directory; default WORKDIR/generated.'),
    flags.DEFINE_enum('accuracy', 'last', ('last', 'best', 'median10'), 'report, compare: which one.'),
    flags.DEFINE_bool('watch', False, 'report: write it again and again, until Ctrl-C.'),
    flags.DEFINE_integer('interval', 30, 'report: seconds between, if it is watched.', lower_bound=1),
    flags.DEFINE_list('rows', [], 'sweep: the rows to run; all by default.'),
    flags.DEFINE_list('columns', [], 'sweep: the columns; all by default, at the small scale the first.'),
    flags.DEFINE_integer('seeds', 1, 'sweep: how many, from 0.', lower_bound=1),
    flags.DEFINE_bool('dry_run', False, 'sweep: print what would be run, and exit.'),
    flags.DEFINE_string('target', 'local', 'compile: what for; e.g. v5e:2x4, h100x8, or the devices here.'),
    flags.DEFINE_string('other', '', 'compare: what --workdir is compared with.'),
)


class Request(NamedTuple):
    """What the command was asked for.

    Attributes:
        config: resolved, overrides included.
        workdir: of the run.
        path: of the config's file.
        argument: of the config, after the colon.
        table: its names.
        overrides: of the config on the command line.
        options: name -> value of the flags that belong to one mode.
    """

    config: Any
    workdir: str
    path: str
    argument: str
    table: dict
    overrides: dict
    options: dict


def train(request):
    """Trains, or continues."""
    from resizemix_jax.train import train_and_evaluate

    change = request.options['allow_config_change']
    result = train_and_evaluate(request.config, request.workdir, change)
    return show.conclusion(request.table, result, request.overrides)


def evaluate(request):
    """Evaluates the newest and the best checkpoint."""
    from resizemix_jax.evaluate import evaluate_checkpoint

    result = evaluate_checkpoint(request.config, request.workdir)
    return show.conclusion(request.table, result, request.overrides)


def gallery(request):
    """Draws what the network is shown."""
    from resizemix_jax.gallery import gallery

    variants = common.variants(request.config, request.table)
    images = request.options['images'], request.options['image_size']
    return '\n'.join(map(str, gallery(request.config, request.workdir, variants, *images)))


def generate(request):
    """Mixes the training images by the network of the workdir, and writes a set to train on."""
    from resizemix_jax.generate import generate

    made = generate(request.config, request.workdir, request.options['output'])
    return (
        f'{made.tried} images tried, {made.kept} kept ({100 * made.kept / made.tried:.1f} %), after '
        f'{made.steps:.1f} steps on average; written to {made.directory}. Train on them with:\n'
        f'    {_student(request, made.directory)}'
    )


def _student(request, directory):
    """The command that trains on a generated set what the request would train."""
    own = ('dataset', 'data_dir', 'generate_images')
    kept = {k: v for k, v in request.overrides.items() if k not in own and not k.startswith('generate_args.')}
    changes = {**kept, 'dataset': 'generated', 'data_dir': directory}
    config = ':'.join(filter(None, (request.path, request.argument)))
    command = ['python', 'main.py', f'--config={config}', f'--workdir={directory}_run']
    return shlex.join(command + [f'--config.{key}={value}' for key, value in changes.items()])


def report(request):
    """Writes the table of the runs below the workdir, beside the paper's."""
    from resizemix_jax.report import tables as reports

    asked = request.workdir, _layout(request), request.options['accuracy']
    interval = request.options['interval']
    paths = reports.watch(*asked, interval) if request.options['watch'] else reports.write(*asked)
    return '\n'.join(map(str, paths))


def sweep(request):
    """Makes the runs of a table's cells, each in a directory of its own below the workdir, and the report."""
    from resizemix_jax import sweep as sweeps
    from resizemix_jax.errors import ConfigError, RunError

    try:
        jobs = [sweeps.Job(*job) for job in _jobs(request)]
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if request.options['dry_run']:
        return sweeps.plan(jobs)
    outcome = sweeps.run_all(jobs)
    if outcome.failed and not outcome.made + outcome.before:
        raise RunError(str(outcome))
    text = f'{outcome}\n{report(request)}'
    if outcome.failed:
        raise RunError(text)
    return text


def compare(request):
    """Compares the runs in the workdir with those in another directory; needs no config."""
    from resizemix_jax.errors import ConfigError
    from resizemix_jax.report.compare import compare as compared

    if not request.options['other']:
        raise ConfigError('--other=DIR is needed: what the runs in --workdir are compared with')
    return compared(request.workdir, request.options['other'], request.options['accuracy'])


def compile(request):
    """Compiles the training step for the target, which need not be here, and says whether it fits."""
    from resizemix_jax.compile import compile_step
    from resizemix_jax.errors import RunError

    report = compile_step(request.config, request.options['target'])
    if not report.fits:
        raise RunError(str(report))
    return str(report)


def _layout(request):
    """What the report has to know of the table."""
    from resizemix_jax.report.cells import Layout

    table = request.table
    return Layout(
        name=request.config.table,
        title=(table.get('__doc__') or request.config.table).partition('\n')[0],
        rows=table.get('ROWS', ()),
        columns=table.get('COLUMNS', ()),
        defaults=_stored(base()),
        resolve=lambda stored: _stored(table['get_config'](cells.argument(table, stored))),
        flags=lambda stored, *rest: cells.flags(request.path, cells.argument(table, stored), *rest),
    )


def _jobs(request):
    """(workdir, config as stored, command) of every run of a sweep."""
    cells.check_sweep(request.table, request.argument, request.overrides)
    options = request.options
    chosen = cells.every(
        request.table, options['rows'], options['columns'], options['seeds'], request.config.recipe,
        request.config.scale,
    )  # fmt: skip
    for cell in chosen:
        argument = cells.argument(request.table, cell)
        config = request.table['get_config'](argument)
        try:
            config.lock().update_from_flattened_dict(request.overrides)
        except (KeyError, AttributeError) as error:
            raise ValueError(f'{", ".join(request.overrides)} does not fit {argument}') from error
        workdir = f'{request.workdir}/{cells.directory(request.config.table, cell)}'
        flags = cells.flags(request.path, argument, request.overrides, workdir)
        yield workdir, _stored(config), [sys.executable, sys.argv[0], *flags]


def _stored(config):
    """A config as its run stores it."""
    return json.loads(config.to_json())


_ALL = train, evaluate, gallery, generate, report, sweep, compare, compile
MODES = {mode.__name__: mode for mode in _ALL}
NO_CONFIG = ('compare',)  # the modes that need none
MULTIHOST = ('train', 'evaluate')  # the modes for several hosts
NO_WORKDIR = ('compile',)  # the modes without a directory
