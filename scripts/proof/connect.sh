# Finds out which server to ask and as whom. Sourced by the proof scripts, after ask.sh and server.sh.

# Sets BASE_URL, OWNER_TOKEN and TENANT_ID from what the environment gives, starting a server where it gives nothing.
connect() {
  BASE_URL=${BASE_URL:-} OWNER_TOKEN=${OWNER_TOKEN:-} TENANT_ID=${TENANT_ID:-}
  OWNER_EMAIL=${OWNER_EMAIL:-} OWNER_PASSWORD=${OWNER_PASSWORD:-}
  # Never by way of a proxy to this machine itself.
  export no_proxy="${no_proxy:-${NO_PROXY:-}},localhost,127.0.0.1,::1"
  command -v curl >/dev/null || give_up 'curl is needed: install it'
  if [[ -n $OWNER_TOKEN || -n $OWNER_EMAIL || -n $OWNER_PASSWORD ]]; then
    check_address
  elif [[ -n $BASE_URL || -n $TENANT_ID ]]; then
    give_up 'OWNER_TOKEN, or OWNER_EMAIL and OWNER_PASSWORD, must be set too: see --help'
  else
    start_server
  fi
  keep_owner_secrets
  check_health
  [[ -n $OWNER_TOKEN ]] || sign_in
  check_owner
}

check_address() {
  BASE_URL=${BASE_URL:-http://localhost:5000}
  while [[ $BASE_URL == */ ]]; do BASE_URL=${BASE_URL%/}; done
  [[ $BASE_URL =~ ^https?://[^/@[:space:]]+(/[^?#[:space:]]*)?$ ]] ||
    give_up 'BASE_URL must be an address such as http://localhost:5000'
  [[ $OWNER_TOKEN$TENANT_ID != *[[:space:]]* ]] || give_up 'OWNER_TOKEN and TENANT_ID must be single words'
}

keep_owner_secrets() {
  [[ -z $OWNER_TOKEN ]] || keep_secret "$OWNER_TOKEN" '(token)'
  [[ -z $OWNER_PASSWORD ]] || keep_secret "$OWNER_PASSWORD" '(password)'
}

check_health() {
  ask GET /api/health ''
  [[ $STATUS != 200 || $BODY != '{"status":"ok","database":"ok"'* ]] || return 0
  [[ $BODY != *'"database":'* ]] || give_up "the server at $BASE_URL is not ready: $BODY"
  give_up "what answers at $BASE_URL is not Latchkey: $STATUS for GET /api/health"
}

sign_in() {
  [[ -n $OWNER_EMAIL && -n $OWNER_PASSWORD ]] || give_up 'OWNER_EMAIL and OWNER_PASSWORD go together: set both'
  ask POST /api/auth/login "{\"email\":$(json_string "$OWNER_EMAIL"),\"password\":$(json_string "$OWNER_PASSWORD")}"
  [[ $STATUS == 200 ]] || give_up "OWNER_EMAIL and OWNER_PASSWORD are refused: $STATUS $(field code)"
  OWNER_TOKEN=$(field token)
}

# Who the token is has to be somebody who may do all that the proof does.
check_owner() {
  local headers=("Authorization: Bearer $OWNER_TOKEN")
  [[ -z $TENANT_ID ]] || headers+=("x-tenant-id: $TENANT_ID")
  ask GET /api/v1/whoami '' "${headers[@]}"
  case "$STATUS $(field code)" in
    '200 ') ;;
    '403 tenant_mismatch') give_up "TENANT_ID $TENANT_ID is no tenant of the owner" ;;
    *) give_up "OWNER_TOKEN is refused: $STATUS $(field code)" ;;
  esac
  [[ $(field type) == user ]] || give_up 'OWNER_TOKEN must be the token of a person, as POST /api/auth/login gives it'
  [[ $BODY == *'"api-keys:manage"'* ]] || give_up 'OWNER_TOKEN is of somebody who may not manage keys: it takes an owner'
  TENANT_ID=$(field id "${BODY#*\"tenant\":}")
}

# ask_owner METHOD PATH BODY
ask_owner() { ask "$1" "$2" "$3" "Authorization: Bearer $OWNER_TOKEN" "x-tenant-id: $TENANT_ID"; }

# ask_key KEY METHOD PATH BODY
ask_key() { ask "$2" "$3" "$4" "x-api-key: $1" "x-tenant-id: $TENANT_ID"; }
