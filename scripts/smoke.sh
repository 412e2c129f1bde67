#!/usr/bin/env bash
# Proves from outside, with curl, that keys are issued, scoped, rotated, revoked, limited and audited. See --help.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGRAM=smoke.sh
. "$ROOT/scripts/proof/ask.sh"
. "$ROOT/scripts/proof/server.sh"
. "$ROOT/scripts/proof/connect.sh"
. "$ROOT/scripts/proof/interrupt.sh"

usage() {
  cat <<'TEXT'
Usage: scripts/smoke.sh [--transcript FILE]

Runs nine steps with API keys against a server, and ends with 0 if all of them hold. Stops at the first check that does
not. The keys it makes are revoked when it ends, however it ends; no whole key is ever printed.

The server and its owner come from the environment:
  BASE_URL                     the server (http://localhost:5000)
  OWNER_TOKEN                  a token of an owner, as POST /api/auth/login gives it
  OWNER_EMAIL, OWNER_PASSWORD  or what to sign in with
  TENANT_ID                    the tenant, by id or slug; without it the one that the owner joined first

With none of these it starts a server of its own from this folder, on SQLite, or in a schema of its own on the server of
DATABASE_URL, and takes it away again.

  --transcript FILE  adds every request and its raw answer to FILE, as Markdown, keys and tokens masked

Ends with 1 if a check does not hold, and with 2 if the server cannot be asked.
TEXT
}

CHECKS=0 STEP=0
# What the keys of this run are found by.
NAME=''

# step NUMBER TITLE
step() {
  STEP=$1
  [[ -z $TRANSCRIPT ]] || printf '\n### %s. %s\n' "$1" "$2" >>"$TRANSCRIPT"
}

# check WHAT EXPECTED CAME [PATTERN]: what came is what is expected, or matches the pattern.
check() {
  local what=$1 expected=$2 came=$3 answer
  if [[ $# -eq 4 && $came =~ $4 || $# -eq 3 && $came == "$expected" ]]; then
    CHECKS=$((CHECKS + 1))
    printf 'ok    %s  %s: %s\n' "$STEP" "$what" "$(masked "$came")"
    return
  fi
  printf 'FAIL  %s  %s: expected %s, came %s\n' "$STEP" "$what" "$expected" "$(masked "${came:-nothing}")"
  answer=$(masked "$BODY")
  printf '         the last answer was %s %s\n' "$STATUS" "${answer:0:600}"
  exit 1
}

# Gives yes or no, for what is better not printed.
whether() { if "$@"; then printf yes; else printf no; fi; }
is_key_text() { [[ $1 == "$(field keyPrefix)"?*"$(field lastFour)" ]]; }
has_line() { [[ $'\n'$2$'\n' == *$'\n'"$1"$'\n'* ]]; }
body_has() { [[ $BODY == *"$1"* ]]; }

# Where several processes serve, what one has seen reaches the others within a moment.
# ask_owner_until PATTERN PATH
ask_owner_until() {
  local transcript=$TRANSCRIPT attempt
  TRANSCRIPT=''
  for attempt in 1 2 3 4 5; do
    ask_owner GET "$2" ''
    [[ ! $BODY =~ $1 ]] || break
    sleep 0.5
  done
  TRANSCRIPT=$transcript
  ask_owner GET "$2" ''
}

run_steps() {
  local first_id first_key next_id next_key burst_id burst_key requests actions action
  local time='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$' number='^[1-9][0-9]*$'

  step 1 'A key is created with scopes, and shown once'
  # Should nobody be left to revoke them, they expire tomorrow.
  ask_owner POST /api/api-keys "{\"name\":\"$NAME\",\"scopes\":[\"read\",\"builder:write\"],\"expiresInDays\":1,\"rateLimit\":{\"limit\":100,\"windowSeconds\":60}}"
  check 'POST /api/api-keys' 201 "$STATUS"
  first_id=$(field id) first_key=$(field key)
  check 'the answer shows the key, from its keyPrefix to its lastFour' yes "$(whether is_key_text "$first_key")"
  check 'its scopes' read,builder:write "$(list_field scopes)"
  ask_owner GET "/api/api-keys/$first_id" ''
  check 'GET /api/api-keys/:id' 200 "$STATUS"
  check 'shows the key again' no "$(whether body_has "${first_key#"$(field keyPrefix)"}")"

  step 2 'The key reads what its scopes cover'
  ask_key "$first_key" GET '/api/audit-logs?limit=1' ''
  check 'GET /api/audit-logs with x-api-key' 200 "$STATUS"
  ask GET '/api/audit-logs?limit=1' '' "Authorization: ApiKey $first_key" "x-tenant-id: $TENANT_ID"
  check 'GET /api/audit-logs with Authorization: ApiKey' 200 "$STATUS"
  ask GET '/api/audit-logs?limit=1' '' "x-api-key: $first_key"
  check 'GET /api/audit-logs without x-tenant-id' '400 tenant_required' "$STATUS $(field code)"

  step 3 'The key is refused what they do not cover'
  ask_key "$first_key" POST /api/billing/checkout '{"plan":"pro"}'
  check 'POST /api/billing/checkout' '403 insufficient_scope' "$STATUS $(field code)"
  check 'the refusal names the scope' 'Missing required scope: billing:write' "$(field detail)"

  step 4 'The Bearer token of a person goes on working'
  ask_owner GET '/api/audit-logs?limit=1' ''
  check 'GET /api/audit-logs with Authorization: Bearer' 200 "$STATUS"

  step 5 'A rotation ends the old key, and its successor keeps the scopes'
  ask_owner PATCH "/api/api-keys/$first_id" '{"scopes":["read","support:write"]}'
  check 'PATCH /api/api-keys/:id' 200 "$STATUS"
  check 'its scopes' read,support:write "$(list_field scopes)"
  ask_owner POST "/api/api-keys/$first_id/rotate" '{}'
  check 'POST /api/api-keys/:id/rotate' 200 "$STATUS"
  next_id=$(field id) next_key=$(field key)
  check 'the answer shows the new key' yes "$(whether is_key_text "$next_key")"
  check 'the new key is another one' no "$(whether test "$next_key" = "$first_key")"
  check 'its previousKeyId' "$first_id" "$(field previousKeyId)"
  check 'its scopes' read,support:write "$(list_field scopes)"
  ask_key "$first_key" GET '/api/audit-logs?limit=1' ''
  check 'GET /api/audit-logs with the old key' '401 key_revoked' "$STATUS $(field code)"
  ask_key "$next_key" GET '/api/audit-logs?limit=1' ''
  check 'GET /api/audit-logs with the new key' 200 "$STATUS"

  step 6 'Revoking by the old id ends the new key'
  ask_owner POST "/api/api-keys/$first_id/revoke" '{"reason":"The smoke test ends"}'
  check 'POST /api/api-keys/:id/revoke' 200 "$STATUS"
  check 'the id that was revoked' "$next_id" "$(field id)"
  ask_key "$next_key" GET '/api/audit-logs?limit=1' ''
  check 'GET /api/audit-logs with the new key' '401 key_revoked' "$STATUS $(field code)"

  step 7 'The list says when and from where a key was last used'
  ask_owner_until '"lastUsedAt":"' "/api/api-keys?q=${NAME// /%20}&includeRevoked=true&limit=1"
  check 'GET /api/api-keys?includeRevoked=true' 200 "$STATUS"
  check 'the newest one' "$next_id" "$(field id)"
  check 'its status' revoked "$(field status)"
  check 'its lastUsedAt' 'a time' "$(field lastUsedAt)" "$time"
  check 'its lastUsedIp' 'an address' "$(field lastUsedIp)" '^[0-9a-fA-F.:]+$'

  step 8 'A key that comes too often is told to wait'
  ask_owner POST /api/api-keys "{\"name\":\"$NAME\",\"scopes\":[\"read\"],\"expiresInDays\":1,\"rateLimit\":{\"limit\":3,\"windowSeconds\":60}}"
  check 'POST /api/api-keys with a limit of 3 requests in 60 seconds' 201 "$STATUS"
  burst_id=$(field id) burst_key=$(field key)
  # Several processes without a Redis between them count each for itself.
  for ((requests = 1; requests <= 30; requests++)); do
    ask GET /api/v1/whoami '' "x-api-key: $burst_key"
    [[ $STATUS == 200 ]] || break
    [[ $requests -gt 1 ]] || check 'the first GET /api/v1/whoami' 200 "$STATUS"
  done
  check "the GET /api/v1/whoami number $requests" '429 rate_limited' "$STATUS $(field code)"
  check 'it is not refused too early' yes "$(whether test "$requests" -gt 3)"
  check 'its Retry-After' 'a whole number from 1' "$(header Retry-After)" "$number"
  check 'its RateLimit' 'none remaining' "$(header RateLimit)" '^"[a-z]+";r=0;t=[0-9]+$'
  check 'its RateLimit-Policy' 'a policy of 3 in 60 seconds' "$(header RateLimit-Policy)" '^"[a-z]+";q=3;w=60$'
  check 'its X-RateLimit-Limit' 3 "$(header X-RateLimit-Limit)"
  check 'its X-RateLimit-Remaining' 0 "$(header X-RateLimit-Remaining)"
  ask_owner DELETE "/api/api-keys/$burst_id" ''
  check 'DELETE /api/api-keys/:id' 200 "$STATUS"

  step 9 'All of it is in the audit log'
  ask_owner_until API_KEY_USED "/api/audit-logs?entity=api_key&entityId=$first_id"
  check 'GET /api/audit-logs?entity=api_key&entityId=:id' 200 "$STATUS"
  actions=$(each_field action)
  check 'it shows a key' no "$(whether body_has "${first_key#"$(field keyPrefix)"}")"
  ask_owner GET "/api/audit-logs?entity=api_key&entityId=$next_id" ''
  actions+=$'\n'$(each_field action)
  for action in CREATED USED SCOPES_UPDATED ROTATED REVOKED; do
    check "it has API_KEY_$action" yes "$(whether has_line "API_KEY_$action" "$actions")"
  done
  ask_owner GET "/api/api-keys?q=${NAME// /%20}" ''
  check 'keys of this run that still work' 0 "$(field total)"
}

# Revokes what a run that was broken off has made.
revoke_left() {
  [[ -n $NAME ]] || return 0
  local id
  TRANSCRIPT=''
  ask_owner GET "/api/api-keys?q=${NAME// /%20}&limit=100" ''
  [[ $STATUS == 200 ]] || return 1
  for id in $(each_field id); do
    ask_owner POST "/api/api-keys/$id/revoke" '{}'
    [[ $STATUS == 200 ]] || return 1
  done
}

finish() {
  local code=$?
  # What puts away what was made always goes on.
  GOING_ON=''
  if [[ $code -ne 0 && -z $SERVER_PID ]] && ! (revoke_left) 2>/dev/null; then
    printf '%s: the keys named "%s" could not be revoked; they expire within a day\n' "$PROGRAM" "$NAME" >&2
  fi
  stop_server
  exit "$code"
}

while [[ $# -gt 0 ]]; do
  case $1 in
    --help | -h)
      usage
      exit
      ;;
    --transcript)
      [[ -n ${2:-} ]] || give_up '--transcript takes a file'
      transcript_file=$2
      shift
      ;;
    *) give_up "\"$1\" is not understood: see --help" ;;
  esac
  shift
done

prove() {
  trap finish EXIT
  connect
  TRANSCRIPT=${transcript_file:-}
  NAME="Smoke test $(random 4)"
  printf 'Latchkey at %s, tenant %s\n' "$BASE_URL" "$TENANT_ID"
  run_steps
  printf 'All nine steps hold: %s checks.\n' "$CHECKS"
}

run_interruptible prove
