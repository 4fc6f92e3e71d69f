#!/usr/bin/env bash
# Checks that a tag may be released, or, before it exists, that HEAD may be tagged with it.
#
#   check-release.sh v0.1.0
#
# The tag must be a semantic version, its commit must be on main, and CHANGELOG.md must have a
# dated section for it. Entries that start with "- **Breaking:**" require the version number that
# docs/compatibility.md asks for. Nothing may be left under Unreleased.
set -euo pipefail

tag=${1:?usage: check-release.sh TAG}

refuse() {
  echo "::error title=Release::$tag: $1" >&2
  exit 1
}

number='(0|[1-9][0-9]*)'
[[ $tag =~ ^v$number\.$number\.$number(-[0-9A-Za-z.-]+)?$ ]] || refuse "is not a semantic version"
major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]} patch=${BASH_REMATCH[3]}
version=${tag#v}

commit=$(git rev-parse --quiet --verify "refs/tags/$tag^{commit}" || git rev-parse HEAD)
main=$(git rev-parse --quiet --verify origin/main || git rev-parse main)
git merge-base --is-ancestor "$commit" "$main" || refuse "its commit is not on main"

grep -Eq "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
  refuse "CHANGELOG.md has no \"## [$version] - YYYY-MM-DD\""
section=$("$(dirname "$0")/changelog-section.sh" "$version") || refuse "its section of CHANGELOG.md is empty"

if unreleased=$("$(dirname "$0")/changelog-section.sh" Unreleased 2>/dev/null) && [ -n "$unreleased" ]; then
  refuse "CHANGELOG.md has entries under Unreleased, which belong to the release or to a later commit"
fi

if grep -q '^- \*\*Breaking:\*\*' <<<"$section"; then
  [ "$patch" -eq 0 ] || refuse "a patch release must not break programs, but its changelog says Breaking"
  [ "$major" -eq 0 ] || [ "$minor" -eq 0 ] || refuse "from v1 on a minor release must not break programs, but its changelog says Breaking"
fi
echo "$tag may be released."
