#!/usr/bin/env bash
# Runs the action. action.yml describes the inputs, each of which is in a variable INPUT_….
set -euo pipefail

fail() {
  echo "::error title=speccheck::$1"
  exit 2
}

# GitHub masks the secrets of the repository, but not a key that another step has added to the
# environment. A mask applies to one line, so each line of a value gets its own.
for variable in OPENAI_ADMIN_KEY $INPUT_MASK; do
  while IFS= read -r line; do
    line=${line%$'\r'}
    if [[ -n $line ]]; then
      echo "::add-mask::${line//'%'/%25}"
    fi
  done <<< "${!variable:-}"
done

modes=0
for input in "$INPUT_RUN" "$INPUT_HAR" "$INPUT_OPERATION"; do
  if [[ -n $input ]]; then modes=$((modes + 1)); fi
done
if [[ $modes -ne 1 ]]; then fail "one of the inputs run, har and operation is required"; fi
if [[ -n $INPUT_RUN && -z $INPUT_TO ]]; then fail "the input run requires to, the URL of the server"; fi
if [[ -n $INPUT_OPERATION && -z $INPUT_FILE ]]; then fail "the input operation requires file"; fi
if [[ ! $INPUT_WAIT =~ ^[0-9]+$ ]]; then fail "the input wait is a number of seconds"; fi

if [[ -n $INPUT_RUN ]]; then
  # Retries until the server responds, with any status.
  curl --silent --output /dev/null --noproxy '127.0.0.1,localhost,::1' --connect-timeout 5 --max-time $((INPUT_WAIT + 10)) \
    --retry "$INPUT_WAIT" --retry-delay 1 --retry-max-time "$INPUT_WAIT" --retry-connrefused "$INPUT_TO" ||
    fail "no connection to the server within $INPUT_WAIT seconds"
fi

flags=(-format "$INPUT_FORMAT")
if [[ -n $INPUT_FAIL ]]; then flags+=(-fail "$INPUT_FAIL"); fi
if [[ -n $INPUT_SPEC ]]; then flags+=(-spec "$INPUT_SPEC"); fi
if [[ -n $INPUT_OUTPUT ]]; then flags+=(-output "$INPUT_OUTPUT"); fi

module=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/speccheck.XXXXXX")
trap 'rm -rf "$bin"' EXIT
# The job's settings for building its own code must not apply to the command.
env -u GOFLAGS -u GOOS -u GOARCH GOWORK=off GOTOOLCHAIN=auto \
  go build -C "$module" -o "$bin/speccheck" ./cmd/speccheck || fail "the command speccheck cannot be built; see the log"

if [[ -n $INPUT_HAR ]]; then
  if [[ -n $INPUT_BASE_URL ]]; then flags+=(-base-url "$INPUT_BASE_URL"); fi
  "$bin/speccheck" "${flags[@]}" -har "$INPUT_HAR"
elif [[ -n $INPUT_OPERATION ]]; then
  "$bin/speccheck" "${flags[@]}" -operation "$INPUT_OPERATION" -status "$INPUT_STATUS" "$INPUT_FILE"
else
  "$bin/speccheck" "${flags[@]}" -listen 127.0.0.1:0 -to "$INPUT_TO" -- bash -eo pipefail -c "$INPUT_RUN"
fi
