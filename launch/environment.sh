# shellcheck shell=bash
# Sourced by the other scripts: make_environment REQUIREMENTS makes $VENV once and brings it up to date.

PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

make_environment() {
  if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
    echo "$("$PYTHON" --version) will not do: Python 3.11 to 3.13 is needed. Name one with PYTHON=..." >&2
    exit 2
  fi
  if [ ! -x "$VENV/bin/python" ]; then
    "$PYTHON" -m venv "$VENV"
  fi
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1"
}
