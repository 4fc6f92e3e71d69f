#!/usr/bin/env bash
# Prints the section of one version in CHANGELOG.md, without its heading.
#
#   changelog-section.sh 0.1.0 [CHANGELOG.md]
#
# Fails if the section does not exist or is empty. "Unreleased" is a version too.
set -euo pipefail

version=${1:?usage: changelog-section.sh VERSION [FILE]}
file=${2:-CHANGELOG.md}

section=$(awk -v heading="## [$version]" '
  /^## /           { on = index($0, heading) == 1; next }
  /^\[[^]]+\]: /   { on = 0 } # the links at the end of the file
  on' "$file" | sed '/./,$!d')

if [ -z "$section" ]; then
  echo "$file: no entries under \"## [$version]\"" >&2
  exit 1
fi
printf '%s\n' "$section"
