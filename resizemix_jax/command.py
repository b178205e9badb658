"""The command: flags -> config -> a program. See `usage`, the text of --help."""

import logging
import os
import shlex
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from absl import flags

from resizemix_jax import config_files, listing, overrides
from resizemix_jax.errors import RunError, local
from resizemix_jax.modes import MODES, Request, program

log = logging.getLogger(__name__)

NO_CONFIG = '--config=FILE is needed, e.g. --config=configs/quickstart.py'
USAGE = """usage: {program} --config=FILE[:KEY=VALUE,...] --workdir=DIR [--mode=MODE] [--config.KEY=VALUE ...]

FILE is one of configs/, or your own. After the colon stands the cell of its table, see --list. Every key of
resizemix_jax/config.py can be overridden. Another method or network, e.g. --config.mixing=cutmix, takes the
defaults of its keywords, and --config.mixing_args.prob=1 changes one.
"""
# The options of JAX under which this code is right.
JAX_DEFAULTS = {
    'jax_numpy_dtype_promotion': 'standard',
    'jax_numpy_rank_promotion': 'allow',
    'jax_transfer_guard': 'allow',
}
EXIT_CODES = """

Exit codes: 0 done; 2 a wrong flag, config or dataset; 3 the loss is NaN or infinite; 75 stopped by a signal
after saving, run the same command again; 1 any other error."""


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
         'The config file; after a colon, its argument.'),
    Flag(flags.DEFINE_string, 'workdir', '', (),
         'Directory of the run; the same one continues it. report, sweep: of many runs.'),
    Flag(flags.DEFINE_enum, 'mode', 'train', (), 'What to do.', dict(enum_values=tuple(MODES))),
    Flag(flags.DEFINE_bool, 'list', False, (),
         'Print the rows of the table, their commands in order and the numbers of the paper, and exit.'),
    Flag(flags.DEFINE_bool, 'multihost', False, tuple(name for name in MODES if MODES[name].multihost),
         'Several hosts, each started with this same command.'),
    Flag(flags.DEFINE_bool, 'allow_config_change', False, ('train',),
         'Continue even if the workdir holds a run of a different config.'),
    Flag(flags.DEFINE_string, 'images', '', ('gallery',), 'A directory of your own pictures to mix.'),
    Flag(flags.DEFINE_integer, 'image_size', 224, ('gallery',), 'The side of those, in pixels.',
         dict(lower_bound=16)),
    Flag(flags.DEFINE_string, 'output', '', ('generate',), 'The new directory; default WORKDIR/generated.'),
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
    file = config_files.load(words.path) if words.path else None
    config = file.get_config(words.argument) if file else None
    changes = overrides.apply(config, words.texts) if file else {}
    if file:
        config.lock()
    return values.mode, Request(
        config, values.workdir, words.path, words.argument, file and file.table, changes,
        {flag.name: values[flag.name].value for flag in FLAGS},
    )  # fmt: skip


def main(argv=None):
    """Runs the command and prints what it gives; returns the exit code, see EXIT_CODES."""
    try:
        asked = read(sys.argv if argv is None else argv)
    except (flags.Error, ValueError, TypeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if isinstance(asked, str):
        _print(asked)
        return 0
    return run(*asked)


def run(mode, request):
    """Runs the program of a mode; returns the exit code."""
    # Imported late: --help, --list and a wrong flag answer at once.
    from jax.errors import JaxRuntimeError

    from resizemix_jax.devices import compilation_cache, processes
    from resizemix_jax.run import writers

    writers.log_to_stderr()
    try:
        for name in ('workdir', 'other', 'output', 'images'):
            local(request.options[name], f'--{name}')
        _use_jax_defaults()
        if request.options['multihost']:
            processes.join()
        compilation_cache.use(request.workdir)
        _print(MODES[mode].run(request))
    except RunError as error:
        return _failed(error, error.exit_code)
    except OSError as error:
        return _failed(f'{error}; check that the path exists, can be written and has space left', 1)
    except MemoryError as error:
        return _failed(f'memory ran out: {error or "an array was too large"}; use smaller batches or data', 1)
    except JaxRuntimeError as error:
        if 'RESOURCE_EXHAUSTED' not in str(error):
            raise
        remedy = 'lower batch_size, or set micro_batches or remat'
        return _failed(f'the device has too little memory; {remedy}: {str(error).splitlines()[0]}', 1)
    except KeyboardInterrupt:
        return _failed('interrupted', 1)
    return 0


def _use_jax_defaults():
    """Undoes what the environment, for other programs, sets of JAX's arithmetic."""
    import jax

    for name, value in JAX_DEFAULTS.items():
        if getattr(jax.config, name) not in (value, None):
            log.info('%s=%s is not used; here it is %s', name.upper(), getattr(jax.config, name), value)
            jax.config.update(name, value)


def _print(text):
    """Prints, also where nobody reads to the end, as in `main.py --list | head`."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(error, code):
    words = f'{type(error).__name__}: {error}' if isinstance(error, Exception) else error
    print(words, file=sys.stderr)
    return code


def _check(mode, given):
    """Raises ValueError if a flag is given that the mode does not have, or one that it needs is not."""
    for flag in FLAGS:
        if flag.name in given and flag.modes and mode not in flag.modes:
            owners = ' or '.join(flag.modes)
            raise ValueError(f'--{flag.name} belongs to --mode={owners}; the mode here is {mode}')
    if MODES[mode].config and 'config' not in given:
        raise ValueError(NO_CONFIG)
    if MODES[mode].workdir and 'workdir' not in given:
        raise ValueError('--workdir=DIR is needed: the directory of the run')
