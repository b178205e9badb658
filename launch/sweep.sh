#!/usr/bin/env bash
# Makes the runs of a table one after the other; what is finished is skipped, what was stopped continues.
#   bash launch/sweep.sh [--dry_run] TABLE [flags of main.py --mode=sweep]
#   bash launch/sweep.sh table3 --rows=baseline,cutmix,resizemix --seeds=3
#   bash launch/sweep.sh table3:recipe=released --columns=wrn28_10 --config.epochs=100
# TABLE: a file of configs/ without .py. --dry_run: the commands that are left, one a run.
# WORKDIR: below it the runs are made (runs). VENV: the environment (.venv), made by quickstart.sh or gpu.sh;
# without one PYTHON (python3) has to have the requirements.
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
source launch/environment.sh
if [ $# -eq 0 ]; then usage; fi
table=${1%%:*}
if [ ! -f "configs/$table.py" ]; then
  echo "configs/$table.py does not exist; TABLE is one of: $(basename -s .py configs/*.py | paste -sd ' ' -)" >&2
  usage
fi
config=configs/$table.py${1#"$table"}
shift
if [ -x "$VENV/bin/python" ]; then PYTHON=$VENV/bin/python; fi

sweep=("$PYTHON" main.py --config="$config" --mode=sweep --workdir="${WORKDIR:-runs}" "$@")
if [ -n "$DRY_RUN" ]; then exec "${sweep[@]}" --dry_run; fi # which rows are left is main.py's to say
until_done "${sweep[@]}"; exit # on one line: see worker.sh
