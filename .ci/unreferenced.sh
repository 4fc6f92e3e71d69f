#!/usr/bin/env bash
# Lists the tracked files whose name occurs in no other tracked file, and fails if there are any.
# Go files are left to the compiler and the linters. A file below testdata may be referred to
# without its extension, which tests append.
set -euo pipefail
cd "$(dirname "$0")/.."

found=0
while IFS= read -r file; do
  name=${file##*/}
  case $file in
    # Found by tools through their place or name.
    *.go | .ci/run | Makefile | */testdata/fuzz/* | .github/workflows/* | .github/ISSUE_TEMPLATE/*) continue ;;
    */testdata/*) name=${name%.*} ;;
  esac
  case $name in
    .editorconfig | .gitattributes | .gitignore | .golangci.yml | LICENSE | dependabot.yml | go.sum | pull_request_template.md) continue ;;
  esac
  case ${file##*/} in
    *.*) ;;
    *) name=${file%/*} && name=${name##*/}/${file##*/} ;; # a bare word, which means little alone
  esac
  if ! git grep --quiet --fixed-strings --word-regexp -e "$name" -- ":(exclude)$file"; then
    echo "nothing refers to $file"
    found=1
  fi
done < <(git ls-files)
exit "$found"
