# shellcheck shell=bash
# Sourced by the launchers: usage, dry runs, quoting, checks of variables, and the restarts of a run.

MAX_RESTARTS=${MAX_RESTARTS:-100}  # how often a run that ended with 75 is begun again
RESTART_DELAY=${RESTART_DELAY:-5}  # seconds before that
SAVED=75                           # main.py's exit code for: run the same command again
DRY_RUN=''
STOPPED=''  # set once this script itself was told to end

usage() {  # [EXIT CODE]: the comment at the top of the script, with its variables
  sed -nE -e '/^set -e/q' -e '2,$s/^#( |$)//p' \
    -e 's/^([A-Z_]+)=\$\{[A-Z_]+:-([^}]*)\} *# ?/    \1 (\2)  /p' "$0" >&2
  exit "${1:-2}"
}

quoted() {  # WORD...: the words as a shell would read them back
  local word text='' quote="'\\''"
  for word; do
    if [[ $word =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]]; then
      text+=" $word"
    else
      text+=" '${word//\'/$quote}'"
    fi
  done
  printf '%s\n' "${text# }"
}

refuse() {  # SENTENCE
  echo "$1" >&2
  exit 2
}

whole() {  # NAME...: refuses a variable that is not a whole number; an empty one is accepted
  local name
  for name; do
    if [[ ! ${!name:-0} =~ ^(0|[1-9][0-9]{0,8})$ ]]; then
      refuse "$name=$(quoted "${!name}") must be a whole number, such as 10"
    fi
  done
}

positive() {  # NAME...: refuses a variable that is not a whole number above 0; an empty one is accepted
  local name
  whole "$@"
  for name; do
    if [ "${!name:-1}" = 0 ]; then refuse "$name=0 must be at least 1"; fi
  done
}

named() {  # NAME...: refuses a variable that is not the name of a resource, a zone, an image or a package
  local name
  for name; do
    if [[ ! ${!name:-none} =~ ^[A-Za-z0-9][A-Za-z0-9_.:/@=-]*$ ]]; then
      refuse "$name=$(quoted "${!name}") must be a name of letters, digits and _.:/@=-, a letter or digit first"
    fi
  done
}

run() {  # COMMAND...: runs it, or prints it in a dry run
  if [ -n "$DRY_RUN" ]; then
    quoted "$@"
  else
    "$@"
  fi
}

hand_on() {
  STOPPED=yes
  if [ -n "$CHILD" ]; then kill -TERM "$CHILD" 2>/dev/null || true; fi
}

attended() {  # COMMAND...: runs it, hands it a SIGTERM or Ctrl-C as SIGTERM, and waits for its end
  local code=0
  CHILD=''
  trap hand_on TERM INT
  # In the background, since bash runs a trap only after a command in the foreground has ended.
  "$@" &
  CHILD=$!
  if [ -n "$STOPPED" ]; then hand_on; fi # the signal came between these lines
  while kill -0 "$CHILD" 2>/dev/null; do
    wait "$CHILD" || true # a signal cuts it short
  done
  wait "$CHILD" || code=$?
  return "$code"
}

until_done() {  # COMMAND...: runs it again as long as it ends with 75, and was not told to by us
  local code restarts=0
  if [ -n "$DRY_RUN" ]; then
    quoted "$@"
    return
  fi
  while true; do
    code=0
    attended "$@" || code=$?
    if [ "$code" -ne "$SAVED" ] || [ "$restarts" -ge "$MAX_RESTARTS" ]; then return "$code"; fi
    restarts=$((restarts + 1))
    if [ -z "$STOPPED" ]; then
      echo "Ended with exit code $SAVED: restart $restarts in $RESTART_DELAY s" >&2
      sleep "$RESTART_DELAY"
    fi
    if [ -n "$STOPPED" ]; then return "$code"; fi
  done
}

# Only the first argument, since main.py has a --dry_run of its own.
case ${1:-} in
  --dry_run)
    DRY_RUN=yes
    shift
    ;;
  --help) usage 0 ;;
esac
whole MAX_RESTARTS RESTART_DELAY
