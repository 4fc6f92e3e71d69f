#!/usr/bin/env bash
# Lists the tracked files whose name occurs in no other tracked file, and fails if there are any.
# It skips Go files, which the compiler and the linters cover. A file below testdata may be
# referred to without its extension, since tests append that.
set -euo pipefail
cd "$(dirname "$0")/.."

found=0
while IFS= read -r file; do
  name=${file##*/}
  case $file in
    # Tools find these files by their path.
    *.go | .ci/run | Makefile | */testdata/fuzz/* | .github/workflows/* | .github/ISSUE_TEMPLATE/*) continue ;;
    */testdata/*) name=${name%.*} ;;
  esac
  case $name in
    .editorconfig | .gitattributes | .gitignore | .golangci.yml | LICENSE | dependabot.yml | go.sum | pull_request_template.md) continue ;;
  esac
  case ${file##*/} in
    *.*) ;;
    *) name=${file%/*} && name=${name##*/}/${file##*/} ;; # with its folder, since a bare word is common
  esac
  if ! git grep --quiet --fixed-strings --word-regexp -e "$name" -- ":(exclude)$file"; then
    echo "nothing refers to $file"
    found=1
  fi
done < <(git ls-files)
exit "$found"
