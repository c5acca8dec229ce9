#!/usr/bin/env bash
# Every test, in the order in which things can be known to be broken; builds run beside the fast ones.
set -uo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH=tests
bin=.venv/bin
begun=$SECONDS
log=$(mktemp -d)
trap 'kill "$build" "$heart" 2>/dev/null; rm -rf "$log"' EXIT

say() { printf '\n== %3d s  %s\n' $((SECONDS - begun)) "$*"; }

say "building the cluster and the engine in the background (only the first time)"
"$bin/python" -m cluster build >"$log/build" 2>&1 &
build=$!
( while sleep 60; do printf '   %3d s  build: %s\n' $((SECONDS - begun)) "$(tail -n 1 "$log/build" | cut -c1-150)"; done ) &
heart=$!

say "check: lint, types, unit, golden, properties"
make -s check || exit 1

say "waiting for the builds"
wait "$build" || { cat "$log/build"; exit 1; }
kill "$heart"

left_out=
ring() {
  [ -d "tests/$1" ] || return 0
  if [ "${CLUSTER:-local}" = kind ]; then # there, nothing is built or installed for rings that need no cluster
    lacks=$("$bin/python" -m cluster lacks "$1") || exit 1
    if [ -n "$lacks" ]; then
      left_out="$left_out $1"
      say "$1 is NOT RUN: it needs programs of this machine that are missing: $lacks"
      return 0
    fi
  fi
  say "$1"
  "$bin/pytest" -q "tests/$1" --durations=3 "${@:2}" || exit 1
}
ring properties tests/unit/quality tests/unit/routing -n 2 --hypothesis-profile=project # and what is too thorough for check
for quick in scenarios faults harness contract integration chart browser docs; do
  ring "$quick" -n 2 --dist loadfile
done
ring e2e # one cluster: one test at a time
say "done${left_out:+; NOT RUN on this machine (reasons above):$left_out}"
