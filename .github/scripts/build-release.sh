#!/usr/bin/env bash
# Builds the commands for every platform, and the checksums of what it built.
#
#   build-release.sh v0.1.0 DIR
#
# DIR gets one archive a platform, with both commands, the licence and those of what is linked
# in, and checksums.txt. The same commit and Go version give the same bytes.
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

for platform in {linux,darwin,windows}/{amd64,arm64}; do
  export GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0
  name=orgkeys-go_${tag#v}_${GOOS}_$GOARCH
  mkdir "$work/$name"
  go build -trimpath -o "$work/$name/" ./cmd/speccheck ./cmd/orgkeys-fake
  cp LICENSE "$work/$name/"
  licences >"$work/$name/THIRD_PARTY_LICENSES"
  tar --sort=name --mtime="$date" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' \
    -C "$work" -cf - "$name" | gzip -9n >"$out/$name.tar.gz"
done
cd "$out"
sha256sum -- *.tar.gz >checksums.txt
