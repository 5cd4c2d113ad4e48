#!/bin/sh
# npm run fuzz: libFuzzer under ASan and UBSan on everything in C that decodes bytes from another process, 10 minutes in all.
#   scripts/fuzz.sh [SECONDS]   in all, for all harnesses (default 600)
#   TURF_FUZZ_ONLY=NAME         one harness of native-shim/fuzz/
# What it learns is kept in dist/fuzz/; native-shim/fuzz/corpus/ holds the seeds of each. Exits with 1 at a finding, whose input is printed.
set -u
cd "$(dirname "$0")/../native-shim" || exit 2
seconds=${1:-600}
CLANG=${CLANG:-clang}
command -v "$CLANG" >/dev/null || {
  echo 'fuzz: clang is missing; as root: apt-get install clang libclang-rt-14-dev' >&2
  exit 2
}
out=../dist/fuzz
flags='-std=c11 -D_GNU_SOURCE -O1 -g -I. -Wall -Wextra -Werror -fno-omit-frame-pointer -fno-strict-aliasing'
sanitize='-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined'

sources() {
  case $1 in
    plan-check) echo plan/check.c plan/reader.c plan/text.c ;;
    plan-messages) echo plan/sync.c plan/stand-in.c plan/reader.c base/frame.c ;;
    frames) echo base/frame.c lib/park_request.c ;;
    launch-decode) echo launch/decode.c ;;
    client-session) echo client/session.c launch/decode.c base/frame.c ;;
    supervisor-requests) echo supervisor/requests.c supervisor/listeners.c launch/decode.c base/frame.c ;;
    watchdog) echo watchdog/watchdog.c ;;
    *) return 1 ;;
  esac
}

names=${TURF_FUZZ_ONLY:-plan-check plan-messages frames launch-decode client-session supervisor-requests watchdog}
each=$((seconds / $(echo "$names" | wc -w)))
failed=0
for name in $names; do
  files=$(sources "$name") || {
    echo "fuzz: no harness $name" >&2
    exit 2
  }
  mkdir -p "$out/$name"
  # shellcheck disable=SC2086 # lists of words
  "$CLANG" $flags $sanitize -o "$out/$name.bin" "fuzz/$name.c" $files || exit 2
  if "$out/$name.bin" -max_total_time="$each" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -close_fd_mask=3 \
    -artifact_prefix="$out/$name-" "$out/$name" "fuzz/corpus/$name" >"$out/$name.log" 2>&1; then
    verdict='no finding'
  else
    verdict="FOUND something: $(sed -n 's/.*Test unit written to //p' "$out/$name.log" | tail -1)"
    failed=1
    tail -40 "$out/$name.log" >&2
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log")
  covered=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$out/$name.log" | tail -1)
  printf '%-22s %s s, %s runs, %s edges: %s\n' "$name" "$each" "${runs:-?}" "${covered:-?}" "$verdict"
done
exit "$failed"
