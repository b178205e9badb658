#!/usr/bin/env bash
# Makes the reference of the package from its docstrings, as web pages.
#   bash launch/reference.sh [--dry_run] [DIRECTORY]     the pages go there (build/reference)
# PYTHON, VENV: as in launch/test.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
source launch/environment.sh
make_environment ''

export KERAS_BACKEND=jax PDOC_ALLOW_EXEC=1 # the layer is documented, too; keras asks uname for the processor
modules=()
for path in resizemix_jax/[a-z]*; do # one by one, since the package itself lists functions, which pdoc would import
  name=${path##*/}
  if [ "$name" != py.typed ]; then modules+=("resizemix_jax.${name%.py}"); fi
done
run "$VENV/bin/python" -m pdoc "${modules[@]}" -o "${1:-build/reference}"
