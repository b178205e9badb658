"""The command as `python -m resizemix_jax` and as the script `resizemix-jax`; `main.py` calls it, too."""

import sys

from resizemix_jax.errors import not_installed


def main():
    """Runs the command, see `command.main`; where it is not installed, says how to, and returns 2."""
    try:
        from resizemix_jax import command
    except ModuleNotFoundError as error:
        if sentence := not_installed(error):
            print(sentence, file=sys.stderr)
            return 2
        raise
    return command.main()


if __name__ == '__main__':
    sys.exit(main())
