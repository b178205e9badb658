"""The command: python main.py --config=configs/quickstart.py --workdir=DIR; see --help."""

import sys

from resizemix_jax.__main__ import main

if __name__ == '__main__':
    sys.exit(main())
