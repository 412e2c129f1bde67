# Ending a proof by Ctrl-C, SIGTERM or the end of its terminal, without losing the signal. Sourced by the proof scripts.
#
# Bash forgets a SIGINT that comes while it waits for a command which then ends by itself, as curl does that has its answer.
# It forgets none while it waits by `wait`, and no SIGTERM. So the work runs in a subshell in the background, where SIGINT
# is ignored and a request is asked to its end, and the script passes every signal on to it as SIGTERM.

# The subshell with the work, and the exit code of the signal that came.
WORK_PID='' BROKEN_OFF=''

# run_interruptible COMMAND...: runs the work and gives its code; after a signal, once the work has put everything away,
# 130, 143 or 129.
run_interruptible() {
  trap 'break_off 130' INT
  trap 'break_off 129' HUP
  run_terminable "$@"
}

# run_terminable COMMAND...: runs a part of the work in the same way; within the work there is only SIGTERM.
run_terminable() {
  local code=0
  trap 'break_off 143' TERM
  (
    exit_on_term
    "$@"
  ) &
  WORK_PID=$!
  [[ -z $BROKEN_OFF ]] || end_work
  wait "$WORK_PID" 2>/dev/null || code=$?
  exit_on_term
  return "${BROKEN_OFF:-$code}"
}

# A second SIGTERM does not break off what the first one has put away.
exit_on_term() { trap 'trap "" TERM; exit 143' TERM; }

# break_off CODE
break_off() {
  trap '' INT TERM HUP
  BROKEN_OFF=$1
  [[ -z $WORK_PID ]] || end_work
}

# Again until it is gone, since a subshell that has only just begun can miss the first.
end_work() {
  while kill -TERM "$WORK_PID" 2>/dev/null; do sleep 0.1; done
}
