"""The command: python main.py --config=configs/quickstart.py --workdir=DIR [--config.key=value ...]

--list prints the rows of the config's table and their commands instead.
Exit codes: 0 done; 2 the data is missing or the config is wrong; 3 the loss is not a number;
75 saved on SIGTERM, run the same command again; 1 anything else.
"""

import pathlib
import runpy
import sys

from absl import app, flags
from ml_collections import config_flags

from resizemix_jax import command as modes
from resizemix_jax import show
from resizemix_jax import tables as common

_CONFIG = config_flags.DEFINE_config_file('config', lock_config=True)
_WORKDIR = flags.DEFINE_string(
    'workdir', '', 'Directory of the run; the same one continues it. Of many: report, sweep.'
)
_MODE = flags.DEFINE_enum('mode', 'train', tuple(modes.MODES), 'What to do.')
_MULTIHOST = flags.DEFINE_bool('multihost', False, 'Several hosts, each started with this same command.')
_LIST = flags.DEFINE_bool('list', False, 'Print the rows of the table and their commands, and exit.')


def main(argv):
    """Runs the mode; returns the exit code."""
    flag = flags.FLAGS['config']
    path, argument, table, overrides = '', '', {}, {}
    if _CONFIG.value is not None:
        path, _, argument = config_flags.get_config_filename(flag).partition(':')
        table, overrides = runpy.run_path(path), config_flags.get_override_values(flag)
    if _LIST.value:
        print(show.listing(pathlib.Path(path), table))
        return 0
    # Imported late: --help, --list and a wrong flag answer at once.
    from resizemix_jax.devices import compilation_cache, processes
    from resizemix_jax.errors import RunError, local
    from resizemix_jax.run import writers

    writers.log_to_stderr()
    options = {holder.name: holder.value for holder in modes.OPTIONS}
    request = modes.Request(_CONFIG.value, _WORKDIR.value, path, argument, table, overrides, options)
    try:
        for name in ('workdir', 'other', 'output', 'images'):
            local(flags.FLAGS[name].value, f'--{name}')
        if _MULTIHOST.value:
            processes.join()
        compilation_cache.use(_WORKDIR.value)
        print(modes.MODES[_MODE.value](request))
    except RunError as error:
        print(f'{type(error).__name__}: {error}', file=sys.stderr)
        return error.exit_code
    return 0


def parse_flags(argv):
    """Flags; what the user has to correct ends with a sentence and exit code 2."""
    try:
        rest = flags.FLAGS(argv)
        if len(rest) > 1:
            raise flags.Error(f'unexpected argument {rest[1]!r}; flags begin with --')
        if _CONFIG.value is not None:
            common.check_overrides(config_flags.get_override_values(flags.FLAGS['config']))
            _CONFIG.value.lock()  # a config file that could not be loaded says so here
        elif _LIST.value or _MODE.value not in modes.NO_CONFIG:
            raise flags.Error('--config=FILE is needed, e.g. --config=configs/quickstart.py')
        if _MULTIHOST.value and _MODE.value not in modes.MULTIHOST:
            raise flags.Error(f'--multihost goes with --mode={" or ".join(modes.MULTIHOST)}')
        if not (_WORKDIR.value or _LIST.value or _MODE.value in modes.NO_WORKDIR):
            raise flags.Error('--workdir=DIR is needed: the directory of the run')
    except (flags.Error, ValueError, TypeError, AttributeError, KeyError, OSError) as error:
        print(common.sentence(error), file=sys.stderr)
        sys.exit(2)
    return rest


if __name__ == '__main__':
    app.run(main, flags_parser=parse_flags)
