#!/usr/bin/env bash
# Lints the contract with the rules of Redocly and Spectral. Needs Node 20 or newer, and npm. The
# linters are installed into a temporary directory, at the versions below, without install scripts.
set -euo pipefail
redocly=2.77.0
spectral=6.16.3
contract=$(cd "$(dirname "$0")/../.." && pwd)/api/openapi.yaml

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "@redocly/cli@$redocly" "@stoplight/spectral-cli@$spectral"
echo 'extends: spectral:oas' >.spectral.yaml
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
node_modules/.bin/redocly lint --extends recommended-strict "$contract"
node_modules/.bin/spectral lint --fail-severity hint "$contract"
