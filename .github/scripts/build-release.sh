#!/usr/bin/env bash
# Builds the commands for every platform, their software bills of materials, and checksums.
#
#   build-release.sh v0.1.0 DIR
#
# DIR receives one archive per platform and checksums.txt. An archive has both commands, each with
# its bill of materials (CycloneDX), the license, and the licenses of the linked modules. The same
# commit and Go version produce the same bytes. PLATFORMS limits what is built.
set -euo pipefail

tag=${1:?usage: build-release.sh TAG DIR}
mkdir -p "${2:?usage: build-release.sh TAG DIR}"
out=$(cd "$2" && pwd)

cd "$(git rev-parse --show-toplevel)"
date=@$(git log -1 --format=%ct)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

licences() {
  echo "Go, whose standard library is linked in:"
  echo
  cat "$(go env GOROOT)/LICENSE"
  go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/... | sort -u |
    while read -r path version dir; do
      printf '\n\n%s %s:\n\n' "$path" "$version"
      find "$dir" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'notice*' -o -iname 'copying*' \) -print0 |
        sort -z | xargs -0 cat
    done
}

GOBIN="$work" go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

platforms="linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64"
for platform in ${PLATFORMS:-$platforms}; do
  export GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0
  name=orgkeys-go_${tag#v}_${GOOS}_$GOARCH
  mkdir "$work/$name"
  go build -trimpath -o "$work/$name/" ./cmd/speccheck ./cmd/orgkeys-fake
  for command in "$work/$name"/*; do
    "$work/cyclonedx-gomod" bin -json -std -noserial -notimestamp -version "$tag" -output "${command%.exe}.cdx.json" "$command"
  done
  cp LICENSE "$work/$name/"
  licences >"$work/$name/THIRD_PARTY_LICENSES"
  tar --sort=name --mtime="$date" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' \
    -C "$work" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
done

cd "$out"
sha256sum -- *.tar.gz >checksums.txt
