#!/usr/bin/env bash
# Makes a virtual environment, installs what the tests need, and runs them: ruff, then pytest.
#   bash launch/test.sh [pytest arguments]
# Needs Python 3.11 to 3.13. PYTHON names the interpreter (python3), VENV the environment (.venv).
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/environment.sh
make_environment requirements-dev.txt

"$VENV/bin/ruff" check .
"$VENV/bin/ruff" format --check .
"$VENV/bin/python" -m pytest -n 2 "$@"
