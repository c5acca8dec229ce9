#!/usr/bin/env bash
# Make anew everything that is generated; with --check, make it elsewhere and fail if it differs from what is here.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
out=.
if [ "${1:-}" = --check ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
elif [ $# -gt 0 ]; then
  echo "usage: docs/generate.sh [--check]" >&2
  exit 2
fi

"$python" docs/generators/everything.py "$out"

[ "$out" = . ] && exit 0
stale=0
while read -r file; do
  if ! cmp -s "$out/$file" "$file"; then
    echo "$file is not what its generator makes: run make generate" >&2
    stale=1
  fi
done < <(cd "$out" && find . -type f | sed 's,^\./,,' | sort)
exit "$stale"
