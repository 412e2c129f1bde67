#!/usr/bin/env bash
# Runs the whole proof, and writes down what was asked, answered and found. See --help.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGRAM=verify.sh
. "$ROOT/scripts/proof/ask.sh"
. "$ROOT/scripts/proof/server.sh"
. "$ROOT/scripts/proof/connect.sh"
. "$ROOT/scripts/proof/interrupt.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/verify.sh [--smoke-only | --tests FILE] [--report FILE]

Runs scripts/smoke.sh, lint, types and tests, stops at the first that fails, and writes reports/step24-proof.md: versions
and the commit; which files changed since the newest tag, or else since the first commit; what git status says; the checks
of the smoke test; the last lines of this script; which route asks for which scope, as the running app says it; every
request of the smoke test with its raw answer, keys and tokens masked. Two runs write the same but for ids, times and the
random part of keys.

The report in the repository is made from a commit and is committed right after it, alone. A test compares its table of
routes with the app's, so it is written a first time before the tests run.

The server comes from the environment as for scripts/smoke.sh; without any it is one of the script's own.

  --smoke-only   leaves out lint, types and tests, which the report then says
  --tests FILE   runs no tests, but takes what "npm test" of this checkout has printed into FILE
  --report FILE  writes there

Ends with 0 if all of it holds, with 1 if something does not, and with 2 if the server cannot be asked.
TEXT
}

REPORT="$ROOT/reports/step24-proof.md"
SMOKE_ONLY='' TESTS_FILE=''
FOLDER='' SERVER='a server that was running'
VERDICT='The run was broken off.'
# How much of what this script printed goes into the report.
LAST_LINES=50
# One row per part, in the order they ran.
RESULTS=()

result() { RESULTS+=("| $1 | $2 |"); }

# run_part TITLE COMMAND...: shows what it says, and keeps it for the report.
run_part() {
  local title=$1 code=0 shown part
  shift
  say "== $title"
  tee "$FOLDER/output" <"$FOLDER/pipe" | tee -a "$FOLDER/said" &
  shown=$!
  exec 3>"$FOLDER/pipe"
  from_root "$@" &
  part=$!
  while kill -0 "$part" 2>/dev/null; do
    [[ -e $GOING_ON ]] || kill -TERM "$part" 2>/dev/null || true
    sleep 0.2
  done
  wait "$part" 2>/dev/null || code=$?
  exec 3>&-
  wait "$shown"
  go_on
  LAST_LINE=$(tail -n 1 "$FOLDER/output")
  [[ $code -ne 0 ]] || return 0
  # It may have had the signal before this script.
  [[ $code -ne 130 && $code -ne 143 ]] || exit "$code"
  result "$title" 'FAILED'
  VERDICT="**FAILED** at the $title: the end of what it said is below."
  fail
}

# from_root COMMAND...: takes the place of the subshell it is called in, so that a signal to that one ends the command.
from_root() {
  trap - TERM
  exec >&3 2>&1 3>&-
  cd "$ROOT" || exit
  if [[ $(type -t "$1") == function ]]; then "$@"; else exec "$@"; fi
}

# Prints a line, and keeps it for the report.
say() { printf '%s\n' "$1" | tee -a "$FOLDER/said"; }

# Ends with what the part that failed has said last.
fail() {
  mv "$FOLDER/output" "$FOLDER/failure"
  exit 1
}

run_smoke() {
  export BASE_URL OWNER_TOKEN TENANT_ID
  run_part 'smoke test' scripts/smoke.sh --transcript "$FOLDER/transcript"
  result 'smoke test' "$LAST_LINE"
  cp "$FOLDER/output" "$FOLDER/checks"
}

run_checks() {
  if [[ $SMOKE_ONLY ]]; then
    result 'lint, types, tests' 'not run: --smoke-only'
    return
  fi
  run_part 'lint' npm run --silent lint
  result 'lint' 'nothing found'
  run_part 'types' npm run --silent typecheck
  result 'types' 'nothing found'
  # The tests read the table of routes in the report.
  write_report
  if [[ $TESTS_FILE ]]; then
    run_part 'tests, which ran before' passed_tests "$TESTS_FILE"
  else
    run_part 'tests' npm run --silent test
  fi
  result 'tests' "$LAST_LINE${TESTS_FILE:+, in a run before this one}"
}

# passed_tests FILE: shows what the tests printed; fails unless its last line says that all passed.
passed_tests() {
  cat "$1"
  [[ $(tail -n 1 "$1") =~ ^[1-9][0-9]*\ passed,\ 0\ failed ]]
}

read_routes() {
  ask_owner GET /api/v1/admin/routes ''
  if [[ $STATUS != 200 ]] || ! (cd "$ROOT" && node dist/scripts/proof/printRouteTable.js) <<<"$BODY" >"$FOLDER/routes"; then
    printf '%s %s\n' "$STATUS" "$(masked "$BODY")" >"$FOLDER/output"
    VERDICT='**FAILED**: the list of routes could not be read.'
    fail
  fi
}

versions() {
  printf '| commit | %s |\n' "$(commit)"
  printf '| server | %s |\n' "$SERVER"
  printf '| Node.js | %s |\n' "$(node --version)"
  printf '| npm | %s |\n' "$(npm --version)"
  [[ ! -f $FOLDER/database ]] || printf '| database | %s |\n' "$(<"$FOLDER/database")"
  printf '| system | %s, %s |\n' "$(system)" "$(uname -sm)"
}

commit() {
  local head changes
  head=$(git -C "$ROOT" rev-parse HEAD 2>/dev/null) || head='unknown: not a checkout'
  changes=$(git -C "$ROOT" status --porcelain -- . ':!reports' 2>/dev/null || true)
  printf '%s' "$head${changes:+, with changes that are not committed}"
}

# What is written next to the commit: the files that changed since the newest tag, or since the first commit.
changed_files() {
  local from
  from=$(git -C "$ROOT" describe --tags --abbrev=0 2>/dev/null) ||
    from=$(git -C "$ROOT" rev-list --max-parents=0 HEAD 2>/dev/null | tail -n 1) || true
  [[ $from ]] || return 0
  printf '\n## Changed files\n\n```text\n$ git diff --stat %s HEAD\n' "$from"
  git -C "$ROOT" --no-pager diff --no-color --stat=140 "$from" HEAD
  printf '```\n\n## git status\n\n```text\n$ git status --short -- . :!reports\n'
  git -C "$ROOT" status --short -- . ':!reports' | grep . || printf '(nothing)\n'
  printf '```\n'
}

# text_block TITLE FILE: what was printed, with the address of the server as the transcript writes it.
text_block() {
  local text
  text=$(<"$2")
  printf '\n## %s\n\n```text\n%s\n```\n' "$1" "${text//"$BASE_URL"/\$BASE_URL}"
}

system() (
  if [[ -r /etc/os-release ]]; then . /etc/os-release; fi
  printf '%s' "${PRETTY_NAME:-$(uname -r)}"
)

write_report() {
  mkdir -p "$(dirname "$REPORT")"
  {
    printf '# Proof of service access by API key\n\n'
    printf 'Written by `scripts/verify.sh`. Another run differs in ids, times and the random part of keys.\n\n%s\n\n' "$VERDICT"
    printf '|  |  |\n| --- | --- |\n'
    versions
    [[ ${#RESULTS[@]} -eq 0 ]] || printf '%s\n' "${RESULTS[@]}"
    if [[ -s $FOLDER/failure ]]; then
      printf '\n## What the part that failed said last\n\n```text\n%s\n```\n' "$(tail -n 40 "$FOLDER/failure")"
    fi
    changed_files
    [[ ! -s $FOLDER/checks ]] || text_block 'The checks of the smoke test' "$FOLDER/checks"
    if [[ -s $FOLDER/said ]]; then
      tail -n "$LAST_LINES" "$FOLDER/said" >"$FOLDER/last"
      text_block "The last $LAST_LINES lines of scripts/verify.sh" "$FOLDER/last"
    fi
    if [[ -s $FOLDER/routes ]]; then
      printf '\n## Which route asks for what\n\nAs `GET /api/v1/admin/routes` of the running app says it.\n\n'
      cat "$FOLDER/routes"
    fi
    if [[ -s $FOLDER/transcript ]]; then
      printf '\n## What was asked and answered\n\nThe raw answers; keys and tokens are masked, nothing else is changed.\n'
      cat "$FOLDER/transcript"
    fi
  } >"$FOLDER/report"
  # A report says nothing of the machine it was made on.
  local text
  text=$(<"$FOLDER/report")
  text=${text//"$FOLDER"/(folder)}
  printf '%s\n' "${text//"$ROOT"/.}" >"$REPORT"
}

finish() {
  local code=$?
  # What puts away what was made always goes on.
  GOING_ON=''
  stop_server
  if [[ $FOLDER ]]; then
    say "${VERDICT//\*/}"
    if write_report; then
      printf 'The report is in %s\n' "$REPORT"
    else
      printf '%s: the report could not be written to %s\n' "$PROGRAM" "$REPORT" >&2
      code=1
    fi
    rm -rf "$FOLDER"
  fi
  exit "$code"
}

while [[ $# -gt 0 ]]; do
  case $1 in
    --help | -h)
      usage
      exit
      ;;
    --smoke-only) SMOKE_ONLY=yes ;;
    --tests)
      [[ -f ${2:-} ]] || give_up '--tests takes the file that "npm test" was printed into'
      TESTS_FILE=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
      shift
      ;;
    --report)
      [[ -n ${2:-} ]] || give_up '--report takes a file'
      REPORT=$2
      shift
      ;;
    *) give_up "\"$1\" is not understood: see --help" ;;
  esac
  shift
done

prove() {
  trap finish EXIT
  connect
  build
  FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/latchkey-verify-XXXXXX")
  mkfifo "$FOLDER/pipe"
  if [[ $SERVER_PID ]]; then
    SERVER='one of its own, started from this checkout'
    (become_node "$SERVER_SCHEMA_URL" dist/scripts/proof/database.js version) >"$FOLDER/database"
  fi
  read_routes
  run_smoke
  run_checks
  VERDICT='**Everything holds.**'
}

run_interruptible prove
