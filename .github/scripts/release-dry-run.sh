#!/usr/bin/env bash
# Performs all steps of a release except its publication, for the newest version in CHANGELOG.md.
#
#   release-dry-run.sh DIR    DIR receives the files of the release
#
# On main the version must be releasable as well, unless the next one is being written under
# Unreleased.
set -euo pipefail

dir=${1:?usage: release-dry-run.sh DIR}
cd "$(git rev-parse --show-toplevel)"
scripts=.github/scripts
tag=v$(sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md | head -1)

"$scripts/changelog-section.sh" "${tag#v}" >/dev/null
if [ "${GITHUB_REF_NAME:-}" = main ] && ! "$scripts/changelog-section.sh" Unreleased >/dev/null 2>&1; then
  "$scripts/check-release.sh" "$tag"
fi
"$scripts/build-release.sh" "$tag" "$dir"
(cd "$dir" && sha256sum --check --quiet checksums.txt)

# The commands for this platform start, and each bill of materials lists what it linked.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$work" --strip-components 1 -xzf "$dir/orgkeys-go_${tag#v}_$(go env GOOS)_$(go env GOARCH).tar.gz"
for command in speccheck orgkeys-fake; do
  "$work/$command" -h >/dev/null 2>&1 || [ $? -eq 2 ]
  go version -m "$work/$command" | awk '$1 == "dep" { print $2 }' | while read -r module; do
    grep -qF "pkg:golang/$module@" "$work/$command.cdx.json" ||
      { echo "the bill of materials of $command lacks $module" >&2; exit 1; }
  done
done
echo "$tag: $(find "$dir" -type f | wc -l) files"
