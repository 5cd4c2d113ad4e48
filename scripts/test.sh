#!/bin/sh
# npm test: set-up, lint, types and build, C analyzer, unit tests, integration tests, and a summary of all of it.
#   TURF_TEST_ONLY=PATTERN  runs only the test files whose path has PATTERN, and no checks
#   TURF_TEST_JOBS=N        that many test files at a time (default 2 unit tests, 3 integration tests, which wait as much as they compute)
#   TURF_MUST_WORK=1        turns skipped integration tests into failures
set -u
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
exec </dev/null

work=$(mktemp -d)
only=${TURF_TEST_ONLY:-}
failed=0

report() { printf '%-28s %s\n' "$1" "$2" >>"$work/steps"; }

finish() {
  printf '\n==== summary ====\n'
  cat "$work/steps" 2>/dev/null
  if [ -n "$(find "$work" -name '*.tap' -print -quit)" ]; then
    node scripts/tap-summary.js "$work"/*.tap || failed=1
  fi
  if [ "$failed" = 0 ]; then echo 'npm test: passed'; else echo 'npm test: FAILED'; fi
  rm -rf "$work"
  trap - EXIT
  exit "$failed"
}
trap 'failed=1; report interrupted yes; finish' INT TERM HUP
trap finish EXIT

step() {
  name=$1
  shift
  printf '==== %s\n' "$name"
  began=$(date +%s)
  if "$@"; then
    report "$name" "ok ($(($(date +%s) - began)) s)"
  else
    failed=1
    report "$name" FAILED
    return 1
  fi
}

# gcc's analyzer takes longer than the build; its verdict holds as long as no C file changes.
analyze() {
  sum=$(find native-shim -name '*.[ch]' -o -name Makefile | LC_ALL=C sort | xargs sha256sum | sha256sum)
  [ "$(cat dist/.analyzed 2>/dev/null)" = "$sum" ] && return 0
  make -s -C native-shim analyze && printf '%s\n' "$sum" >dist/.analyzed
}

# What takes longest goes first: begun last, it would run on alone.
longest='daemon-killed engine-workers survive secrets-in-memory uniqueness kill-delete fault-parties scale-to-zero seed-keeper
  seed-clones faults exec-attacks examples pool seed-roll descriptors main fuzz supervisor dev'

# Test files are listed from their sources: dist/ may hold what is left of removed ones.
tests() {
  find "test/$1" -name '*.test.ts' | LC_ALL=C sort | grep -F -e "$only" >"$work/files"
  {
    for name in $longest; do grep "/$name\.test\.ts$" "$work/files"; done
    cat "$work/files"
  } | awk '!seen[$0]++' | sed 's|^|dist/|; s|\.ts$|.js|'
}

run_tests() {
  files=$(tests "$1")
  [ -n "$files" ] || return 0
  # shellcheck disable=SC2086 # a list of files
  node scripts/run-tests.js "${TURF_TEST_JOBS:-$2}" "$3" "$work/$1.tap" $files
}

step 'set-up and build' sh scripts/setup.sh test || exit 1
if [ -z "$only" ]; then
  # eslint computes on one processor about as long as the others on the second.
  step 'eslint' node_modules/.bin/eslint . >"$work/eslint" 2>&1 &
  eslint=$!
  step 'prettier' node_modules/.bin/prettier --check --log-level warn .
  step 'C analyzer' analyze
  wait "$eslint" || failed=1
  cat "$work/eslint"
fi
step 'unit tests' run_tests unit 2 120
step 'integration tests' run_tests integration 2 300
