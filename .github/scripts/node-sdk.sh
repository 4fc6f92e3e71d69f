#!/usr/bin/env bash
# Tests the fake with the vendor's Node SDK: node-sdk.sh. Needs Go, Node 22 and npm. The SDK is
# installed into a temporary directory, at the version below, without running its scripts.
set -euo pipefail
version=7.57.0
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/orgkeys-fake" ./cmd/orgkeys-fake
cp .github/scripts/node-sdk.mjs "$work"
npm install --prefix "$work" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "openai@$version"
"$work/orgkeys-fake" -keys 45 -- node "$work/node-sdk.mjs"
