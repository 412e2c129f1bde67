# Asking a server with curl, reading its answers, and showing both without their secrets. Sourced by the proof scripts.
# Plain bash 3.2 and curl.

# What the last `ask` brought.
STATUS='' HEADERS='' BODY=''
# A Markdown file that `ask` writes each exchange into; nothing is written while it is empty.
TRANSCRIPT=''

# The texts that are never shown, and what is shown in their place.
SECRETS=() STAND_INS=()

# Says in one line why nothing can be proved, and ends.
give_up() {
  printf '%s: %s\n' "$PROGRAM" "$(masked "$1")" >&2
  exit 2
}

# keep_secret TEXT STAND_IN
keep_secret() {
  SECRETS+=("$1")
  STAND_INS+=("$2")
}

# Gives the text with a stand-in for every secret.
masked() {
  local text=$1 index
  for ((index = 0; index < ${#SECRETS[@]}; index++)); do
    # Unquoted, since bash 3.2 would keep the quotes of a replacement.
    text=${text//"${SECRETS[index]}"/${STAND_INS[index]}}
  done
  printf '%s' "$text"
}

# ask METHOD PATH BODY HEADER...: sets STATUS, HEADERS and BODY, or gives up where nobody answers.
ask() {
  local method=$1 path=$2 body=$3 answer header
  shift 3
  go_on
  # Everything goes in by standard input, since other users of the machine can read a command line.
  if ! answer=$(
    {
      printf 'url = %s\nrequest = %s\n' "$(quoted "$BASE_URL$path")" "$(quoted "$method")"
      for header in "$@"; do printf 'header = %s\n' "$(quoted "$header")"; done
      # Nothing is sent ahead, so that no interim answer stands before the real one.
      [[ -z $body ]] || printf 'header = "Content-Type: application/json"\nheader = "Expect:"\ndata = %s\n' "$(quoted "$body")"
    } | curl -q --silent --show-error --globoff --include --suppress-connect-headers \
      --connect-timeout 5 --max-time 15 --config - 2>&1
  ); then
    give_up "no answer from $BASE_URL: ${answer##*curl: }"
  fi
  answer=${answer//$'\r'/}
  HEADERS=${answer%%$'\n\n'*}
  BODY=${answer#*$'\n\n'}
  [[ $answer == *$'\n\n'* ]] || BODY=''
  read -r _ STATUS _ <<<"$HEADERS"
  keep_shown_secrets
  [[ -z $TRANSCRIPT ]] || record "$method" "$path" "$body" "$@" >>"$TRANSCRIPT"
}

# A word of curl's configuration.
quoted() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# A string of JSON.
json_string() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\t'/\\t}
  printf '"%s"' "${text//$'\n'/\\n}"
}

# A key and a token are shown once, in an answer of their own: from there on they are known and masked.
keep_shown_secrets() {
  local key token
  key=$(field key)
  [[ -z $key ]] || keep_secret "$key" "$(field keyPrefix)…$(field lastFour)"
  token=$(field token)
  [[ -z $token ]] || keep_secret "$token" '(token)'
}

# The first field of that name in the answer, or in the text given: a string without its quotes, or the bare value.
field() {
  local text=${2-$BODY} pattern="\"$1\":(\"([^\"]*)\"|[^,}]*)"
  [[ $text =~ $pattern ]] || return 0
  if [[ ${BASH_REMATCH[1]} == \"* ]]; then printf '%s' "${BASH_REMATCH[2]}"; else printf '%s' "${BASH_REMATCH[1]}"; fi
}

# The first list of that name in the answer, as `one,two`.
list_field() {
  local pattern="\"$1\":\[([^]]*)\]"
  [[ $BODY =~ $pattern ]] || return 0
  printf '%s' "${BASH_REMATCH[1]//\"/}"
}

# Every value of a string field in the answer, one per line.
each_field() {
  local rest=$BODY pattern="\"$1\":\"([^\"]*)\""
  while [[ $rest =~ $pattern ]]; do
    printf '%s\n' "${BASH_REMATCH[1]}"
    rest=${rest#*"${BASH_REMATCH[0]}"}
  done
}

# The value of a header of the answer. In a subshell, for the sake of its option.
header() (
  shopt -s nocasematch
  while IFS= read -r line; do
    if [[ $line == "$1: "* ]]; then
      printf '%s' "${line#*: }"
      return
    fi
  done <<<"$HEADERS"
)

# The exchange as Markdown.
record() {
  local method=$1 path=$2 body=$3 header
  shift 3
  printf '\n```http\n$ curl -i -X %s "$BASE_URL%s"' "$method" "$(masked "$path")"
  for header in "$@"; do printf " -H '%s'" "$(masked "$header")"; done
  [[ -z $body ]] || printf " -H 'Content-Type: application/json' -d '%s'" "$(masked "$body")"
  printf '\n%s\n\n%s\n```\n' "$(masked "$HEADERS")" "$(masked "$BODY")"
}
