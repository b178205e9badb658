"""The command: python main.py --config=configs/quickstart.py --workdir=DIR; see --help."""

import sys

from resizemix_jax import command

if __name__ == '__main__':
    sys.exit(command.main())
