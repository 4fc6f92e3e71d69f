#!/usr/bin/env bash
# Compares the exported API with that of the last release, by the rules of docs/compatibility.md.
#
#   api-compat.sh [BASE]    BASE is a tag or a commit; without it, the last v* tag
#
# An incompatible change is an error, unless BASE is a v0 release and CHANGELOG.md has an entry
# under Unreleased that starts with "- **Breaking:**".
set -euo pipefail

cd "$(git rev-parse --show-toplevel)"
base=${1:-$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true)}
if [ -z "$base" ]; then
  echo "::notice title=API::There is no release yet to compare with."
  exit 0
fi

work=$(mktemp -d)
trap 'git worktree remove --force "$work/base" 2>/dev/null || true; rm -rf "$work"' EXIT

apidiff() {
  go run golang.org/x/exp/cmd/apidiff@v0.0.0-20261014143641-f0251eb4aa3e -m "$@" 2>"$work/log" || {
    cat "$work/log" >&2
    return 1
  }
}

module=$(go list -m)
git worktree add --quiet --detach "$work/base" "$base"
(cd "$work/base" && apidiff -w "$work/old" "$module")
apidiff "$work/old" "$module" >"$work/changes"
apidiff -incompatible "$work/old" "$module" >"$work/incompatible"

{
  printf '### Exported API since %s\n\n' "$base"
  if [ -s "$work/changes" ]; then cat "$work/changes"; else echo "Nothing changed."; fi
} | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"

# The policy does not cover commands, the generated server side of the fake, and the interfaces of
# gen, which get methods with new operations.
broken=$(grep -Ev \
  -e "^- (\./|package $module/)(cmd|examples|gen/server)[/.:]" \
  -e '^- \./gen\.[A-Za-z]+Interface\.[A-Za-z]+: added$' \
  "$work/incompatible" || true)
[ -n "$broken" ] || exit 0

printf '\nIncompatible with %s:\n%s\n' "$base" "$broken"
case $base in
  v0.*)
    if .github/scripts/changelog-section.sh Unreleased | grep -q '^- \*\*Breaking:\*\*'; then
      echo "CHANGELOG.md announces it: the next release raises the minor version."
      exit 0
    fi
    echo "::error title=API::Incompatible with $base. Restore the old API, or add \"- **Breaking:** …\" under Unreleased in CHANGELOG.md."
    ;;
  *)
    echo "::error title=API::Incompatible with $base. Only a new major version may break it."
    ;;
esac
exit 1
