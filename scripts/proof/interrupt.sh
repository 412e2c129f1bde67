# Ending a proof by Ctrl-C, SIGTERM or the end of its terminal, without losing the signal. Sourced by the proof scripts.
#
# Bash forgets a SIGINT that comes while it waits for a command which then ends by itself, and may stumble over a trap that
# is due while it reads a command substitution. Neither happens to a shell that only waits by `wait`. So the work runs in a
# subshell in the background, which no signal reaches, and looks before each step whether it may go on.

# The file that is there as long as the work may go on, and the exit code of the signal that came.
GOING_ON='' BROKEN_OFF=''

# run_interruptible COMMAND...: runs the work and gives its code; after a signal 130, 143 or 129, once the work has ended
# the request it is at and has put away what it made.
run_interruptible() {
  local work code=0
  trap 'break_off 130' INT
  trap 'break_off 143' TERM
  trap 'break_off 129' HUP
  GOING_ON="${TMPDIR:-/tmp}/latchkey-going-on-$$-$RANDOM"
  set -o noclobber
  : >"$GOING_ON"
  set +o noclobber
  [[ -z $BROKEN_OFF ]] || break_off "$BROKEN_OFF"
  (
    trap '' INT TERM HUP
    "$@"
  ) &
  work=$!
  wait "$work" || code=$?
  # A signal ends the wait before the work.
  while kill -0 "$work" 2>/dev/null; do wait "$work" || true; done
  rm -f "$GOING_ON"
  return "${BROKEN_OFF:-$code}"
}

# break_off CODE
break_off() {
  trap '' INT TERM HUP
  BROKEN_OFF=$1
  rm -f "$GOING_ON"
}

# Ends the work where it may not go on.
go_on() { [[ -z $GOING_ON || -e $GOING_ON ]] || exit 143; }
