# A server of the proof's own: the built app on a free port of this machine, in a folder and a schema that go with it.
# Sourced by the proof scripts.

SERVER_PID='' SERVER_FOLDER='' SERVER_SCHEMA='' SERVER_SCHEMA_URL='' SERVER_PORT=''

# Starts it and sets BASE_URL, OWNER_EMAIL and OWNER_PASSWORD; stop_server takes all of it away again.
start_server() {
  local attempt
  command -v node >/dev/null || give_up 'Node.js is needed to start a server: install it, or name one in BASE_URL'
  build
  SERVER_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/latchkey-proof-XXXXXX")
  SERVER_JWT_SECRET=$(random 32)
  SERVER_OWNER_EMAIL='owner@proof.example'
  SERVER_OWNER_PASSWORD=$(random 16)
  prepare_schema
  for attempt in 1 2 3 4 5; do
    # Below the ports that systems hand out by themselves.
    SERVER_PORT=$((20000 + RANDOM % 12000))
    become_node "$SERVER_SCHEMA_URL" --enable-source-maps dist/app/main.js >"$SERVER_FOLDER/log" 2>&1 &
    SERVER_PID=$!
    if until_ready; then
      BASE_URL="http://127.0.0.1:$SERVER_PORT" OWNER_EMAIL=$SERVER_OWNER_EMAIL OWNER_PASSWORD=$SERVER_OWNER_PASSWORD
      return
    fi
    [[ $(server_log) == *'is already in use'* ]] || break
  done
  give_up "the server did not start: $(server_log | tail -n 1)"
}

# The built code is brought up to date where the compiler is; in production it comes ready.
build() {
  [[ -d $ROOT/node_modules ]] || give_up 'the packages are missing: run "npm ci" first'
  [[ -x $ROOT/node_modules/.bin/tsc ]] || return 0
  local built="$ROOT/dist/.tsbuildinfo" sources=("$ROOT/app" "$ROOT/db" "$ROOT/scripts")
  [[ ! -f $built || -n $(find "${sources[@]}" -newer "$built" -name '*.ts*') ]] || return 0
  (cd "$ROOT" && npm run --silent build >&2) || give_up 'the app could not be built'
  # The compiler leaves it alone where nothing but times has changed.
  touch "$built"
}

# On the server of DATABASE_URL it gets a schema of its own: nothing that is there is read or changed.
prepare_schema() {
  [[ -n ${DATABASE_URL:-} ]] || return 0
  # Known before it is made, so that it goes whenever this is interrupted.
  SERVER_SCHEMA="latchkey_proof_$(random 6)"
  if ! SERVER_SCHEMA_URL=$(become_node "$DATABASE_URL" dist/scripts/proof/database.js create "$SERVER_SCHEMA" 2>"$SERVER_FOLDER/log"); then
    SERVER_SCHEMA=''
    give_up "$(server_log)"
  fi
  (become_node "$SERVER_SCHEMA_URL" dist/scripts/admin.js migrate) >"$SERVER_FOLDER/log" 2>&1 || give_up "$(server_log)"
}

# become_node DATABASE_URL ARGUMENT...: turns the subshell it is called in, so that its id is the server's, into Node.js
# with the settings of this server alone, whatever the caller exports for another one.
become_node() {
  local name database_url=$1
  shift
  for name in $(compgen -e); do
    case $name in
      PATH | HOME | TMPDIR) ;;
      # Some are read-only to bash, and mean nothing to the app.
      *) unset "$name" 2>/dev/null || true ;;
    esac
  done
  export HOST=127.0.0.1 PORT="$SERVER_PORT" DATA_DIR="$SERVER_FOLDER/data" DATABASE_URL="$database_url"
  export JWT_SECRET="$SERVER_JWT_SECRET" TENANT_NAME='Proof'
  export OWNER_EMAIL="$SERVER_OWNER_EMAIL" OWNER_PASSWORD="$SERVER_OWNER_PASSWORD"
  cd "$ROOT" && exec node "$@"
}

# It says so once its owner is made, which is after it first answers.
until_ready() {
  local attempt
  for ((attempt = 0; attempt < 300; attempt++)); do
    go_on
    [[ $(server_log) != *'"msg":"ready"'* ]] || return 0
    kill -0 "$SERVER_PID" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

server_log() { cat "$SERVER_FOLDER/log" 2>/dev/null; }

stop_server() {
  local attempt
  if [[ -n $SERVER_PID ]]; then
    kill -TERM "$SERVER_PID" 2>/dev/null || true
    for ((attempt = 0; attempt < 100; attempt++)); do
      kill -0 "$SERVER_PID" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL "$SERVER_PID" 2>/dev/null || true
    wait "$SERVER_PID" 2>/dev/null || true
  fi
  [[ -z $SERVER_SCHEMA ]] || (become_node "$DATABASE_URL" dist/scripts/proof/database.js drop "$SERVER_SCHEMA" >/dev/null) || true
  [[ -z $SERVER_FOLDER ]] || rm -rf "$SERVER_FOLDER"
  SERVER_PID='' SERVER_SCHEMA='' SERVER_FOLDER=''
}

# random BYTES: as hex.
random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }
