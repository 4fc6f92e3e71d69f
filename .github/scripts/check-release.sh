#!/usr/bin/env bash
# Says whether a tag may become a release.
#
#   check-release.sh v0.1.0
#
# The tag is a semantic version, its commit is on main, and the changelog has a dated section
# for it. Entries that start "- **Breaking:**" need the version that docs/compatibility.md asks for.
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

git merge-base --is-ancestor "refs/tags/$tag^{commit}" origin/main || refuse "its commit is not on main"

grep -Eq "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
  refuse "CHANGELOG.md has no \"## [$version] - YYYY-MM-DD\""
section=$("$(dirname "$0")/changelog-section.sh" "$version") || refuse "its section of CHANGELOG.md is empty"

if grep -q '^- \*\*Breaking:\*\*' <<<"$section"; then
  [ "$patch" -eq 0 ] || refuse "a patch release breaks nothing, but its changelog says Breaking"
  [ "$major" -eq 0 ] || [ "$minor" -eq 0 ] || refuse "a minor release breaks nothing from v1 on, but its changelog says Breaking"
fi
echo "$tag may be released."
