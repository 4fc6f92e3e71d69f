#!/usr/bin/env bash
# Opens or updates the pull request with changes of the vendor's OpenAPI document.
#
#   propose-contract.sh DIR    DIR is the output of sync-contract.sh
#
# Does nothing if the branch has commits of other people. gh needs GH_TOKEN.
set -euo pipefail

dir=$(cd "${1:?usage: propose-contract.sh DIR}" && pwd)
branch=contract/upstream
name='github-actions[bot]'
email='41898282+github-actions[bot]@users.noreply.github.com'
title="Follow the vendor's OpenAPI document"

cd "$(git rev-parse --show-toplevel)"
gh auth setup-git
pr=$(gh pr list --head "$branch" --state open --json number --jq '.[].number')

if [ -n "$pr" ]; then
  git fetch --quiet origin "+refs/heads/$branch:refs/remotes/origin/$branch"
  if git log --format=%ae "HEAD..origin/$branch" | grep -qvxF "$email"; then
    echo "::notice title=Contract::Pull request $pr has commits of people, so it was not updated. The report is in this run's summary."
    exit 0
  fi
fi

git switch --quiet --force-create "$branch"
git apply --index --binary "$dir/contract.patch"
git -c user.name="$name" -c user.email="$email" commit --quiet --message "$title"
if [ -z "$pr" ] || ! git diff --quiet "origin/$branch"; then
  git push --quiet --force origin "$branch"
fi

{
  cat "$dir/report.md"
  printf '\n---\nCreated by the contract workflow. To start the checks, close and reopen this pull request.\n'
} >"$dir/body.md"
if [ -n "$pr" ]; then
  gh pr edit "$pr" --body-file "$dir/body.md"
else
  draft=()
  if [ "$(cat "$dir/status")" -ne 0 ]; then draft=(--draft); fi
  gh pr create --head "$branch" --base "$GITHUB_REF_NAME" --title "$title" --body-file "$dir/body.md" "${draft[@]}"
fi
