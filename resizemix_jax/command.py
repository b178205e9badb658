"""The command: flags -> config -> a program. See `usage`, the text of --help."""

import contextlib
import os
import shlex
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from absl import flags

from resizemix_jax import config_files, listing, overrides
from resizemix_jax.devices import leaving
from resizemix_jax.errors import PreemptedError, RunError, first_line, local, not_installed
from resizemix_jax.modes import MODES, Request, program

NO_CONFIG = '--config=FILE is needed, e.g. --config=configs/quickstart.py'
USAGE = """usage: {program} --config=FILE[:KEY=VALUE,...] --workdir=DIR [--mode=MODE] [--config.KEY=VALUE ...]

FILE is one of configs/, or your own. After the colon stands the cell of its table, see --list. Every key of
resizemix_jax/config.py can be overridden. Another method or network, e.g. --config.mixing=cutmix, takes the
defaults of its keywords, and --config.mixing_args.prob=1 changes one.
"""
EXIT_CODES = """

Exit codes: 0 done; 2 a wrong flag, config or dataset; 3 the loss is NaN or infinite; 75 run the same command
again: stopped by a signal after saving, or another host is lost; 1 any other error."""
PATHS = 'workdir', 'images', 'output', 'other'


class Flag(NamedTuple):
    """A flag: how it is defined, and the modes that it belongs to; () for all."""

    define: Callable
    name: str
    default: Any
    modes: tuple
    help: str
    more: dict = {}


FLAGS = (
    Flag(flags.DEFINE_string, 'config', '', tuple(name for name in MODES if MODES[name].config),
         'The config file; after a colon, its argument. evaluate, export: default the config of the run.'),
    Flag(flags.DEFINE_string, 'workdir', '', (),
         'Directory of the run; the same one continues it. report, sweep: of many runs.'),
    Flag(flags.DEFINE_enum, 'mode', 'train', (), 'What to do.', dict(enum_values=tuple(MODES))),
    Flag(flags.DEFINE_bool, 'list', False, (),
         'Print the rows of the table, their commands in order and the numbers of the paper, and exit.'),
    Flag(flags.DEFINE_bool, 'multihost', False, tuple(name for name in MODES if MODES[name].multihost),
         'Several hosts, each started with this same command.'),
    Flag(flags.DEFINE_integer, 'join_seconds', 300, tuple(name for name in MODES if MODES[name].multihost),
         'How long each of several hosts waits for the others.', dict(lower_bound=1)),
    Flag(flags.DEFINE_bool, 'allow_config_change', False, ('train',),
         'Continue even if the workdir holds a run of a different config.'),
    Flag(flags.DEFINE_bool, 'predictions', False, ('evaluate',),
         'Write WORKDIR/predictions: the class given to every example, accuracies by class, the confusion '
         'matrix, calibration.'),
    Flag(flags.DEFINE_bool, 'logits', False, ('evaluate',), 'Keep the logits, too; with --predictions.'),
    Flag(flags.DEFINE_list, 'robustness', [], ('evaluate',),
         'Also on perturbed images: fgsm, occlusion, half, corruptions (or one of them by name), or all.'),
    Flag(flags.DEFINE_string, 'images', '', ('gallery',), 'A directory of your own pictures to mix.'),
    Flag(flags.DEFINE_integer, 'image_size', 224, ('gallery',), 'The side of those, in pixels: 16 to 4096.',
         dict(lower_bound=16, upper_bound=4096)),
    Flag(flags.DEFINE_string, 'split', 'eval', ('evaluate',),
         'Which split: eval, the test split; train; held_out of a run with --config.held_out=SHARE.'),
    Flag(flags.DEFINE_string, 'output', '', ('generate', 'export'),
         'The new directory; default WORKDIR/generated or WORKDIR/export.'),
    Flag(flags.DEFINE_enum, 'accuracy', 'last', ('report', 'sweep', 'compare'),
         'Of which evaluation: the last, the best, or the median of the last ten.',
         dict(enum_values=('last', 'best', 'median10'))),
    Flag(flags.DEFINE_bool, 'watch', False, ('report',), 'Rewrite the report until Ctrl-C.'),
    Flag(flags.DEFINE_integer, 'interval', 30, ('report',), 'Seconds between two reports with --watch.',
         dict(lower_bound=1)),
    Flag(flags.DEFINE_list, 'rows', [], ('sweep',), 'The rows to run; default all.'),
    Flag(flags.DEFINE_list, 'columns', [], ('sweep',),
         'The columns; default all, or the first at the small scale.'),
    Flag(flags.DEFINE_integer, 'seeds', 1, ('sweep',), 'How many seeds, from 0.', dict(lower_bound=1)),
    Flag(flags.DEFINE_bool, 'dry_run', False, ('sweep',), 'Print what would be run, and exit.'),
    Flag(flags.DEFINE_string, 'target', 'local', ('compile',),
         'What to compile for: e.g. v5e:2x4, h100x8, or the devices here.'),
    Flag(flags.DEFINE_string, 'other', '', ('compare',), 'A directory or pattern; compared with --workdir.'),
)  # fmt: skip


def usage():
    """The text of --help."""
    lines = [USAGE.format(program=shlex.join(program())), 'Modes:']
    lines += [f'  {name:10}{mode.run.__doc__.partition(chr(10))[0]}' for name, mode in MODES.items()]
    lines += ['', 'Flags:']
    for flag in FLAGS:
        words = ', '.join(flag.modes) if flag.modes else 'every mode'
        default = f' (default {flag.default})' if flag.default else ''
        lines.append(f'  --{flag.name}\n      {words}: {flag.help}{default}')
    return '\n'.join(lines) + EXIT_CODES


def read(argv):
    """(mode, Request), or the text to print for --help and --list.

    Raises:
        flags.Error, ValueError, TypeError: something that the user has to correct.
    """
    values = flags.FlagValues()
    for flag in FLAGS:
        flag.define(flag.name, flag.default, help=flag.help, flag_values=values, **flag.more)
    words = overrides.sort(values.read_flags_from_files(argv[1:], force_gnu=False))
    if words.path:
        words = words._replace(path=str(local(words.path, '--config')))
    if {'--help', '-help', '-h'} & set(words.others):
        return usage()
    rest = values([argv[0], *words.others])
    if len(rest) > 1:
        raise ValueError(
            f'unexpected argument {rest[1]!r}; write --NAME=VALUE for every flag, in quotes if it has blanks'
        )
    given = {flag.name for flag in FLAGS if values[flag.name].present} | ({'config'} if words.path else set())
    if values.list:
        if not words.path:
            raise ValueError(NO_CONFIG)
        file = config_files.load(words.path)
        return listing.listing(file.table, file.path, program()) if file.table else file.doc
    _check(values.mode, given)
    options = {flag.name: values[flag.name].value for flag in FLAGS}
    options |= {name: str(local(options[name], f'--{name}')) for name in PATHS if options[name]}
    file = config_files.load(words.path) if words.path else None
    config, table = (file.get_config(words.argument), file.table) if file else (None, None)
    if MODES[values.mode].own and not file:
        config = config_files.of_run(local(values.workdir, '--workdir'))
        table = config_files.table_of(config)
    changes = overrides.apply(config, words.texts) if config else {}
    if config:
        config.lock()
    return values.mode, Request(
        config, options['workdir'], words.path, words.argument, table, changes, options
    )


def main(argv=None):
    """Runs the command and prints what it gives; returns the exit code, see EXIT_CODES."""
    if hasattr(sys.stdout, 'reconfigure'):  # a terminal without UTF-8 shows ? for what it does not have
        sys.stdout.reconfigure(errors='replace')
    argv = sys.argv if argv is None else argv
    leaving.follow_parent()
    with _leaving_at_once(argv):
        code, words = _main(argv)
    if words is not None:
        _leave(code, words)
    return code


def _main(argv):
    """(exit code, sentence of an error or ''); None instead of a sentence where no program was started."""
    try:
        asked = read(argv)
    except (flags.Error, ValueError, TypeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2, None
    if isinstance(asked, str):
        _print(asked)
        return 0, None
    return run(*asked)


def _leaving_at_once(words):
    """A context in which a process that is to train ends at once as long as it has nothing to save."""
    names = {word.lstrip('-').partition('=')[0] for word in words if word != '--mode=train'}
    if 'mode' in names:
        return contextlib.nullcontext()
    # Once several processes have joined, JAX's preemption service has SIGTERM.
    given_away = (signal.SIGTERM,) if 'multihost' in names else ()
    return leaving.at_once(PreemptedError.exit_code, given_away)


def run(mode, request):
    """Runs the program of a mode; returns the exit code, and the sentence of an error or ''."""
    # Imported late: --help, --list and a wrong flag answer at once.
    from resizemix_jax.devices import compilation_cache, parallel, processes
    from resizemix_jax.run import writers

    writers.log_to_stderr()
    code, words = 0, ''
    try:
        if request.options['multihost']:
            processes.join(request.options['join_seconds'])
        compilation_cache.use()
        with parallel.standard_settings():
            text = MODES[mode].run(request)
        _print(text)
    except (Exception, KeyboardInterrupt) as error:
        code, words = _explained(error)
        if not words:
            processes.ask()
            traceback.print_exc()
            words = f'{type(error).__name__}: {error}'
        else:
            print(words, file=sys.stderr)
    return code, words


def _leave(code, words):
    """Waits for the end of the other hosts' processes, if there are any."""
    from resizemix_jax.devices import processes

    try:
        processes.leave(code, words)
    except KeyboardInterrupt:
        os._exit(code)


def _explained(error):
    """(exit code, sentence) of what ended a run; '' for an error that has none."""
    from jax.errors import JaxRuntimeError

    if isinstance(error, RunError):
        return error.exit_code, f'{type(error).__name__}: {error}'
    if isinstance(error, ModuleNotFoundError) and (sentence := not_installed(error)):
        return 2, sentence
    if isinstance(error, OSError):
        return 1, f'{error}; check that the path exists, can be written and has space left'
    if isinstance(error, MemoryError):
        return 1, f'memory ran out: {error or "an array was too large"}; use smaller batches or data'
    if isinstance(error, KeyboardInterrupt):
        return 1, 'interrupted'
    if isinstance(error, JaxRuntimeError) and 'RESOURCE_EXHAUSTED' in str(error):
        remedy = 'lower batch_size, or set micro_batches or remat'
        return 1, f'the device has too little memory; {remedy}: {first_line(error)}'
    return 1, ''


def _print(text):
    """Prints, also where nobody reads to the end, as in `main.py --list | head`."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _check(mode, given):
    """Raises ValueError if a flag is given that the mode does not have, or one that it needs is not."""
    for flag in FLAGS:
        if flag.name in given and flag.modes and mode not in flag.modes:
            owners = ' or '.join(flag.modes)
            raise ValueError(f'--{flag.name} belongs to --mode={owners}; the mode here is {mode}')
    if 'logits' in given and 'predictions' not in given:
        raise ValueError('--logits belongs to --predictions; add --predictions')
    if MODES[mode].config and not MODES[mode].own and 'config' not in given:
        raise ValueError(NO_CONFIG)
    if MODES[mode].workdir and 'workdir' not in given:
        raise ValueError('--workdir=DIR is needed: the directory of the run')
