# shellcheck shell=bash
# Sourced after common.sh: make_environment PACKAGE makes $VENV once and brings it up to date;
# PACKAGE is one to install beside the requirements, or ''.

PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

make_environment() {
  named JAX_EXTRA
  if [ -z "$DRY_RUN" ] && ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$PYTHON" --version) will not do: Python 3.11 or newer is needed. Name one with PYTHON=..." >&2
    exit 2
  fi
  if [ ! -x "$VENV/bin/python" ]; then
    run "$PYTHON" -m venv "$VENV"
  fi
  run "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
    -r requirements.txt -c requirements.lock ${1:+"$1"}
}
