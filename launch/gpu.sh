#!/usr/bin/env bash
# Trains on all GPUs of this machine, in one process; begins again when the run saved on SIGTERM.
#   bash launch/gpu.sh [--dry_run] FLAGS OF MAIN.PY
#   bash launch/gpu.sh --config=configs/table3.py:row=resizemix --workdir=runs/resizemix
# JAX_EXTRA: JAX's package for the hardware (cuda12; or cuda13). CUDA_VISIBLE_DEVICES chooses GPUs. Without a GPU
# the run does not start; to try it on a CPU: JAX_EXTRA=cpu JAX_PLATFORMS=cpu.
# PYTHON, VENV: as in launch/test.sh. Ends with main.py's exit code.
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
source launch/environment.sh
if [ $# -eq 0 ]; then usage; fi
export JAX_PLATFORMS=${JAX_PLATFORMS:-cuda,cpu} # the first has to be there; FLOP are counted on the second
make_environment "jax[${JAX_EXTRA:-cuda12}]"

until_done "$VENV/bin/python" main.py "$@"; exit # on one line: see worker.sh
