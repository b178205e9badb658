"""The command: python main.py --config=configs/quickstart.py --workdir=DIR; see --help."""

import sys

if __name__ == '__main__':
    try:
        from resizemix_jax import command
    except ModuleNotFoundError as error:
        print(
            f'{sys.executable} has no module {error.name!r}: make the environment, e.g. with bash '
            'launch/quickstart.sh, and use its Python',
            file=sys.stderr,
        )
        sys.exit(2)
    sys.exit(command.main())
