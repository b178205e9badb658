#!/usr/bin/env bash
# Makes a virtual environment, installs what the tests need, and runs them: ruff, then pytest, which also
# checks these scripts with shellcheck.
#   bash launch/test.sh [--dry_run] [pytest arguments]
# Needs Python 3.11 or newer. PYTHON names the interpreter (python3), VENV the environment (.venv).
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
source launch/environment.sh
make_environment ''

run "$VENV/bin/ruff" check .
run "$VENV/bin/ruff" format --check .
run "$VENV/bin/python" -m pytest -n 2 "$@"
