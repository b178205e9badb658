#!/usr/bin/env bash
# Trains on TPUs of Google Kubernetes Engine, by xpk (pip install xpk; it needs gcloud and kubectl).
#   bash launch/gke.sh [--dry_run] VERB
#   create                  the cluster, with TPUs; xpk brings one that exists up to date
#   run FLAGS OF MAIN.PY    the workload NAME; restarted when it saved on SIGTERM, or a host died
#   status | logs | stop    logs: follows the first pod; stop: deletes the workload, which saves first
#   delete                  the cluster. Until then it costs money, training or not
# Variables (defaults):
PROJECT=${PROJECT:-}               # gcloud's own
ZONE=${ZONE:-us-west4-a}           #
CLUSTER=${CLUSTER:-resizemix}      # name one that you have, and begin with run
NAME=${NAME:-resizemix}            # of the workload; xpk refuses one that is taken: stop it first
TYPE=${TYPE:-v5litepod-16}         # the TPU type
SLICES=${SLICES:-1}                # TPUs of that type
CAPACITY=${CAPACITY:-on-demand}    # or spot, or reservation=NAME
IMAGE=${IMAGE:-}                   # of launch/Dockerfile with JAX_EXTRA=tpu, in a registry that the cluster reads
STORAGE=${STORAGE:-}               # a storage of xpk (xpk storage attach) that holds --workdir and the data
TFDS_DATA_DIR=${TFDS_DATA_DIR:-}   # where the datasets are in it
GRACE=${GRACE:-120}                # seconds that a run has to save
set -euo pipefail
cd "$(dirname "$0")/.."
source launch/common.sh
positive SLICES
whole GRACE
named PROJECT ZONE CLUSTER NAME TYPE IMAGE STORAGE
case $CAPACITY in
  on-demand | spot | reservation=?*) named CAPACITY ;;
  *) refuse "CAPACITY=$(quoted "$CAPACITY") must be on-demand, spot or reservation=NAME" ;;
esac

where=(--cluster="$CLUSTER" --zone="$ZONE")
if [ -n "$PROJECT" ]; then where+=(--project="$PROJECT"); fi

run_() {
  # exec: xpk's shell hands SIGTERM to what it started, which has to be Python itself.
  local extra=() command
  command="exec $(quoted python main.py --multihost "$@")"
  if [ -z "$IMAGE" ]; then refuse "IMAGE=... is needed: the image of launch/Dockerfile"; fi
  if [ -n "$STORAGE" ]; then extra+=(--storage="$STORAGE"); fi
  if [ -n "$TFDS_DATA_DIR" ]; then extra+=(--env="TFDS_DATA_DIR=$TFDS_DATA_DIR"); fi
  run xpk workload create --workload="$NAME" "${where[@]}" --tpu-type="$TYPE" --num-slices="$SLICES" \
    --docker-image="$IMAGE" --max-restarts="$MAX_RESTARTS" --restart-on-exit-codes="$SAVED" \
    --termination-grace-period-seconds="$GRACE" ${extra[@]+"${extra[@]}"} --command="$command"
}

case ${1:-} in
  create)
    run xpk cluster create "${where[@]}" --tpu-type="$TYPE" --num-slices="$SLICES" "--$CAPACITY" \
      --enable-gcsfuse-csi-driver
    ;;
  run) run_ "${@:2}" ;;
  status) run xpk workload list "${where[@]}" --filter-by-job="$NAME" ;;
  logs) run kubectl logs --follow --tail=100 "job/$NAME-slice-job-0" ;;
  stop) run xpk workload delete --workload="$NAME" "${where[@]}" --force ;;
  delete) run xpk cluster delete "${where[@]}" --force ;;
  *) usage ;;
esac
