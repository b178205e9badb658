#!/usr/bin/env bash
# Trains on a Cloud TPU VM (v2 to v6e), of one host or of many.
#   bash launch/tpu_vm.sh [--dry_run] VERB
#   create                  the TPU, unless there is one of that NAME; a preempted one is recreated
#   setup                   copies what git tracks to all workers and makes the environment there; see worker.sh
#   run FLAGS OF MAIN.PY    ends any earlier run, then starts, in the background of all workers;
#                           restarted when it saved on SIGTERM
#   status | logs | stop    logs: follows worker WORKER (0), ends with the exit code of the run; stop: it saves first
#   delete                  the TPU, and its queued resource. Until then it costs money, training or not
# Variables (defaults):
PROJECT=${PROJECT:-}               # gcloud's own
ZONE=${ZONE:-us-west4-a}           #
NAME=${NAME:-resizemix}            # of the TPU; name one that you have, and begin with setup
TYPE=${TYPE:-v5litepod-8}          # its accelerator type
VERSION=${VERSION:-}               # of its runtime; by TYPE
CAPACITY=${CAPACITY:-on-demand}    # or spot, or reserved
QUEUED=${QUEUED:-no}               # yes: create waits for capacity in the queue, as a queued resource
HOSTS=${HOSTS:-}                   # of the TPU; asked of gcloud
WORKER=${WORKER:-0}                # or all
POLL=${POLL:-60}                   # seconds between two checks of the queue
FORWARD=${FORWARD:-BUCKET MOUNT TFDS_DATA_DIR MAX_RESTARTS JAX_COMPILATION_CACHE_DIR XLA_FLAGS LIBTPU_INIT_ARGS} # set on the workers too
DIRECTORY=resizemix-jax            # on the workers, in the home directory
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
positive HOSTS
whole POLL
if [ "$WORKER" != all ]; then whole WORKER; fi
named PROJECT ZONE NAME TYPE VERSION
case $CAPACITY in
  on-demand | spot | reserved) ;;
  *) refuse "CAPACITY=$(quoted "$CAPACITY") must be on-demand, spot or reserved" ;;
esac
case $QUEUED in
  yes | no) ;;
  *) refuse "QUEUED=$(quoted "$QUEUED") must be yes or no" ;;
esac
read -r -d '' -a forwarded <<<"$FORWARD" || true
for name in ${forwarded[@]+"${forwarded[@]}"}; do
  if [[ ! $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]]; then
    refuse "FORWARD: $(quoted "$name") must be the name of a variable"
  fi
done

where=(--zone="$ZONE")
if [ -n "$PROJECT" ]; then where+=(--project="$PROJECT"); fi
tpu() { run gcloud compute tpus "$@" "${where[@]}"; } # KIND VERB ARGUMENT...

state() {  # KIND FORMAT: sets $STATE, '' if there is none; an error that says something else ends the script
  local errors describe=(gcloud compute tpus "$1" describe "$NAME" "${where[@]}" --format="value($2)")
  STATE=''
  if [ -n "$DRY_RUN" ]; then
    quoted "${describe[@]}"
    return
  fi
  errors=$(mktemp)
  if ! STATE=$("${describe[@]}" 2>"$errors") && ! grep -qi 'not.found' "$errors"; then
    cat "$errors" >&2
    rm "$errors"
    exit 1
  fi
  rm "$errors"
}

say() { if [ -z "$DRY_RUN" ]; then echo "$1"; fi; }

create() {
  local what=(--accelerator-type="$TYPE")
  if [ "$CAPACITY" != on-demand ]; then what+=("--$CAPACITY"); fi
  if [ -z "$VERSION" ]; then VERSION=$(version); fi
  state tpu-vm state
  case $STATE in
    '') ;;
    PREEMPTED | TERMINATED) delete ;; # a spot TPU cannot be started again
    STOPPED)
      tpu tpu-vm start "$NAME"
      return
      ;;
    *)
      echo "$NAME exists already: $STATE"
      return
      ;;
  esac
  if [ "$QUEUED" = no ]; then
    tpu tpu-vm create "$NAME" "${what[@]}" --version="$VERSION"
  else
    create_queued "${what[@]}" --runtime-version="$VERSION" --node-id="$NAME"
  fi
}

create_queued() {  # ARGUMENT...
  state queued-resources state.state
  case $STATE in
    FAILED | SUSPENDED)
      delete
      STATE=''
      ;;
  esac
  if [ -z "$STATE" ]; then tpu queued-resources create "$NAME" "$@"; fi
  while [ -z "$DRY_RUN" ] && [ "$STATE" != ACTIVE ]; do
    state queued-resources state.state
    echo "$NAME: ${STATE:=gone}"
    case $STATE in
      ACTIVE) ;;
      FAILED | SUSPENDED | gone) exit 1 ;;
      *) sleep "$POLL" ;;
    esac
  done
}

version() {  # of the runtime that the type needs
  case $TYPE in
    v6e-*) echo v2-alpha-tpuv6e ;;
    v5p-*) echo v2-alpha-tpuv5 ;;
    v5litepod-*) echo v2-alpha-tpuv5-lite ;;
    v[234]-*) echo tpu-ubuntu2204-base ;;
    *) refuse "TYPE=$TYPE is none of v2 to v6e: name its runtime with VERSION=..." ;;
  esac
}

on_worker() {  # WORKER VERB...: worker.sh's VERB on that worker, or on all
  local name words=(env JAX_EXTRA=tpu)
  for name in ${forwarded[@]+"${forwarded[@]}"}; do
    if [ -n "${!name:-}" ]; then words+=("$name=${!name}"); fi
  done
  words+=(bash launch/worker.sh "${@:2}")
  tpu tpu-vm ssh "$NAME" --worker="$1" --command="cd $DIRECTORY && $(quoted "${words[@]}")"
}

pack() {  # ARCHIVE: of the files that git tracks, as they are now: no environment, no runs, no secrets
  local left
  if [ -n "$DRY_RUN" ]; then
    echo "git ls-files -z | tar --null -czf $(quoted "$1") -T -"
    return
  fi
  git ls-files -z | tar --null -czf "$1" -T -
  left=$(git ls-files --others --exclude-standard | head -n 5)
  if [ -n "$left" ]; then echo "Not copied, since git does not track them (git add): ${left//$'\n'/, }, ..." >&2; fi
}

setup() {
  local archive=resizemix-jax.tar.gz
  if [ -z "$DRY_RUN" ]; then
    PRIVATE=$(mktemp -d "${TMPDIR:-/tmp}/resizemix-jax.XXXXXXXX")
    trap 'rm -rf "$PRIVATE"' EXIT
    archive=$PRIVATE/$archive
  fi
  pack "$archive"
  tpu tpu-vm scp "$archive" "$NAME:" --worker=all
  tpu tpu-vm ssh "$NAME" --worker=all \
    --command="mkdir -p $DIRECTORY && tar -xzf resizemix-jax.tar.gz -C $DIRECTORY"
  on_worker all setup
}

run_() {
  local flags=()
  if [ -z "$HOSTS" ]; then
    state tpu-vm 'networkEndpoints.len()'
    HOSTS=${STATE:-2} # a dry run does not ask
    positive HOSTS
  fi
  if [ "$HOSTS" -gt 1 ]; then flags=(--multihost); fi
  on_worker all start ${flags[@]+"${flags[@]}"} "$@"
}

status() {
  if [ "$QUEUED" != no ]; then
    state queued-resources state.state
    say "queued resource $NAME: ${STATE:-there is none}"
  fi
  state tpu-vm state
  say "TPU $NAME: ${STATE:-there is none}"
  if [ -n "$DRY_RUN" ] || [ "$STATE" = READY ]; then on_worker all status; fi
}

delete() {  # both kinds, whatever QUEUED says now: what is forgotten costs money
  local kind gone=yes
  for kind in queued-resources tpu-vm; do
    state "$kind" name
    if [ -n "$STATE$DRY_RUN" ]; then
      gone=no
      if [ "$kind" = tpu-vm ]; then
        tpu tpu-vm delete "$NAME" --quiet
      else
        tpu queued-resources delete "$NAME" --force --quiet # with its TPU
      fi
    fi
  done
  if [ "$gone" = yes ]; then echo "There is no $NAME in $ZONE: nothing to delete"; fi
}

case ${1:-} in
  create) create ;;
  setup) setup ;;
  run) run_ "${@:2}" ;;
  status) status ;;
  logs) on_worker "$WORKER" logs ;;
  stop) on_worker all stop ;;
  delete) delete ;;
  *) usage ;;
esac
