#!/usr/bin/env bash
# From nothing to a trained network: makes a virtual environment, installs, trains on the embedded data.
#   bash launch/quickstart.sh [--dry_run] [flags of main.py]
# Needs Python 3.11 or newer and no accelerator. WORKDIR names the directory of the run (runs/quickstart).
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
source launch/environment.sh
make_environment ''

run "$VENV/bin/python" main.py --config=configs/quickstart.py --workdir="${WORKDIR:-runs/quickstart}" "$@"
