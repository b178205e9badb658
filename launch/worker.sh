#!/usr/bin/env bash
# One run in the background of this machine. tpu_vm.sh calls it on every worker; it serves alone as well.
#   bash launch/worker.sh [--dry_run] VERB
#   setup                   makes the environment with its own Python (uv), and mounts BUCKET, if named, at MOUNT
#   start FLAGS OF MAIN.PY  ends any earlier run, then starts; restarted when it saved on SIGTERM,
#                           but not while the bucket is not mounted
#   status | logs | stop    logs: follows the log and ends with the exit code of the run; stop: it saves first
# VENV: the environment (~/resizemix-venv). JAX_EXTRA: JAX's package for the hardware (tpu). PYTHON: instead of uv's.
# BUCKET, MOUNT: a bucket and where it is mounted (/mnt/bucket). RUN_STATE: the run's pid, log and exit code
# (~/.resizemix). GRACE: seconds that a run has to save before it is killed (120).
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=${VENV:-$HOME/resizemix-venv}
RUN_STATE=${RUN_STATE:-$HOME/.resizemix}
GRACE=${GRACE:-120}
source launch/common.sh
whole GRACE
named BUCKET

setup() {
  if [ -z "${PYTHON:-}" ]; then
    PATH=$HOME/.local/bin:$PATH
    if ! command -v uv >/dev/null; then run bash -c 'curl -LsSf https://astral.sh/uv/install.sh | sh'; fi
    run uv python install 3.12
    PYTHON=$(if [ -z "$DRY_RUN" ]; then uv python find 3.12; else echo python3; fi)
  fi
  source launch/environment.sh
  make_environment "jax[${JAX_EXTRA:-tpu}]"
  if [ -n "${BUCKET:-}" ]; then
    mount_bucket "${MOUNT:-/mnt/bucket}"
    if [ -z "$DRY_RUN" ]; then
      mkdir -p "$RUN_STATE"
      echo "${MOUNT:-/mnt/bucket}" >"$RUN_STATE/mount"
    fi
  fi
}

check_mount() {  # a run in the empty directory below would begin at step 0, and be lost with this disk
  local mount=${MOUNT:-}
  if [ -z "$mount" ] && [ -n "${BUCKET:-}" ]; then mount=/mnt/bucket; fi
  if [ -z "$mount" ] && [ -s "$RUN_STATE/mount" ]; then mount=$(cat "$RUN_STATE/mount"); fi # of setup
  if [ -n "$mount" ] && ! mountpoint -q "$mount"; then
    refuse "$mount is not mounted, so nothing is started. Mount it with BUCKET=NAME bash launch/worker.sh setup;\
 if it is not used any more: rm $(quoted "$RUN_STATE/mount")"
  fi
}

mount_bucket() {  # DIRECTORY
  local key=/usr/share/keyrings/cloud.google.asc site=https://packages.cloud.google.com/apt
  if mountpoint -q "$1"; then
    echo "$1 is mounted already"
    return
  fi
  if ! command -v gcsfuse >/dev/null; then
    run sudo curl -LsSf -o "$key" "$site/doc/apt-key.gpg"
    run sudo bash -c \
      "echo deb [signed-by=$key] $site gcsfuse-\$(lsb_release -cs) main >/etc/apt/sources.list.d/gcsfuse.list"
    run sudo apt-get update --quiet
    run sudo apt-get install --quiet --yes gcsfuse
  fi
  run sudo mkdir -p "$1"
  run sudo chown "$(id -u)" "$1"
  # Checkpoints are committed by renaming a directory, and every host must see at once what another wrote.
  run gcsfuse --implicit-dirs --rename-dir-limit=100000 --metadata-cache-ttl-secs=0 \
    --metadata-cache-negative-ttl-secs=0 "$BUCKET" "$1"
}

alive() {  # whether the process group of the run has a member that is ours: a pid can be another's by now
  [ -s "$RUN_STATE/pid" ] && pgrep -g "$(cat "$RUN_STATE/pid")" -f 'worker.sh loop|main.py' >/dev/null
}

stop() {
  local pid waited=0
  if ! alive; then
    echo "No run is at work"
    return
  fi
  pid=$(cat "$RUN_STATE/pid")
  # To the loop, which hands it on and does not begin again; to what it left, if it is gone itself.
  run kill -TERM "$pid" 2>/dev/null || run kill -TERM -- "-$pid"
  while [ -z "$DRY_RUN" ] && alive; do
    if [ "$waited" -ge "$GRACE" ]; then kill -KILL -- "-$pid"; fi
    sleep 1
    waited=$((waited + 1))
  done
}

start() {
  if [ -z "$DRY_RUN" ]; then check_mount; fi
  if alive; then stop; fi
  if [ -n "$DRY_RUN" ]; then
    quoted setsid nohup bash launch/worker.sh loop "$@"
    return
  fi
  mkdir -p "$RUN_STATE"
  rm -f "$RUN_STATE/exit_code"
  touch "$RUN_STATE/log"  # for logs, which may be sooner than the loop
  setsid nohup bash launch/worker.sh loop "$@" >>"$RUN_STATE/log" 2>&1 </dev/null &
  echo $! >"$RUN_STATE/pid"
  echo "Started with pid $!; the log is $RUN_STATE/log"
}

# shellcheck disable=SC2329 # until_done calls it
train() {  # FLAGS: in a process of its own, which becomes Python
  check_mount
  case ${JAX_EXTRA:-} in # the first has to be there; FLOP are counted on the second
    tpu) export JAX_PLATFORMS=${JAX_PLATFORMS:-tpu,cpu} ;;
    cuda*) export JAX_PLATFORMS=${JAX_PLATFORMS:-cuda,cpu} ;;
  esac
  exec "$VENV/bin/python" main.py "$@"
}

loop() {  # what start leaves in the background
  local code=0
  echo "$(date '+%F %T') $(quoted "$VENV/bin/python" main.py "$@")"
  until_done train "$@" || code=$?
  echo "$code" >"$RUN_STATE/exit_code"
}

status() {
  if alive; then
    echo "running, pid $(cat "$RUN_STATE/pid")"
  elif [ -s "$RUN_STATE/exit_code" ]; then
    echo "ended with exit code $(cat "$RUN_STATE/exit_code")"
  elif [ -s "$RUN_STATE/pid" ]; then
    echo "killed: the same command continues it"
  else
    echo "nothing was started"
  fi
  if [ -s "$RUN_STATE/log" ]; then tail -n 1 "$RUN_STATE/log"; fi
}

logs() {
  if [ -z "$DRY_RUN" ] && [ ! -s "$RUN_STATE/pid" ]; then
    status
    exit 1
  fi
  run tail -n 100 -f --pid="$(cat "$RUN_STATE/pid" 2>/dev/null || echo PID)" "$RUN_STATE/log"
  if [ -n "$DRY_RUN" ]; then return; fi
  exit "$(cat "$RUN_STATE/exit_code" 2>/dev/null || echo 137)"
}

# With exit on the last line, which bash reads as a whole: the file may have been changed under a long run.
case ${1:-} in
  setup) setup ;;
  start) start "${@:2}" ;;
  loop) loop "${@:2}" ;;
  status) status ;;
  logs) logs ;;
  stop) stop ;;
  *) usage ;;
esac; exit
