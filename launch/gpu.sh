#!/usr/bin/env bash
# Trains on all GPUs of this machine, in one process; begins again when the run saved on SIGTERM.
#   bash launch/gpu.sh [--dry_run] FLAGS OF MAIN.PY
#   bash launch/gpu.sh --config=configs/table3.py:row=resizemix --workdir=runs/resizemix
# JAX_EXTRA: JAX's package for the hardware (cuda12; cuda13, or cpu to try). CUDA_VISIBLE_DEVICES chooses GPUs.
# PYTHON, VENV: as in launch/test.sh. Ends with main.py's exit code.
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
source launch/environment.sh
if [ $# -eq 0 ]; then usage; fi
make_environment requirements.txt "jax[${JAX_EXTRA:-cuda12}]"

until_done "$VENV/bin/python" main.py "$@"; exit # on one line: see worker.sh
