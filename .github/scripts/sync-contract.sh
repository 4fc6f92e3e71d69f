#!/usr/bin/env bash
# Copies changes of the vendor's OpenAPI document into the work tree, and saves the result for a
# pull request.
#
#   sync-contract.sh SPEC DIR    SPEC is a path or a URL
#
# If the contract changed, DIR receives contract.patch, report.md and status (0, or 1 if a check
# of the changed repository failed or something is left to decide). Otherwise DIR stays empty, and
# the script fails if something is left to decide.
set -euo pipefail

spec=${1:?usage: sync-contract.sh SPEC DIR}
mkdir -p "${2:?usage: sync-contract.sh SPEC DIR}"
dir=$(cd "$2" && pwd)

cd "$(git rev-parse --show-toplevel)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Built first, because `go run` exits with status 1 for every failure.
go build -o "$work/sync" ./internal/contract/cmd/sync
status=0
"$work/sync" "$spec" >"$work/report.md" || status=$?
[ "$status" -le 1 ] || exit "$status"
cat "$work/report.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"

git add --all
git diff --cached --binary >"$work/contract.patch"
if [ -s "$work/contract.patch" ]; then
  cp "$work/report.md" "$work/contract.patch" "$dir/"
  echo "$status" >"$dir/status"
else
  exit "$status" # 1 if something is left to decide, which only a person can
fi
