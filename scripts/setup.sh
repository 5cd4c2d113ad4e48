#!/bin/sh
# Gets a checkout ready: Debian packages, npm packages, build. Idempotent; quick when nothing is lacking.
#   scripts/setup.sh [build|demo|test|bench]
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-build}

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "$@"
  exit 1
}

# An entry is PACKAGE:PROBE; the probe is a command, or a path pattern when it has a slash.
build='gcc:gcc make:make libc6-dev:/usr/include/stdio.h musl-tools:musl-gcc'
runtime='libseccomp2:/usr/lib/*/libseccomp.so.2 busybox-static:busybox'
peers='runc:runc crun:crun golang-github-containers-common:/usr/share/containers/seccomp.json'
engines='podman:podman conmon:conmon containerd:containerd iproute2:ip procps:ps curl:curl python3:python3 strace:strace'
case $purpose in
  build) wanted=$build ;;
  demo) wanted="$build $runtime" ;;
  bench) wanted="$build $runtime $peers" ;;
  test) wanted="$build $runtime $peers $engines" ;;
  *) die "usage: setup.sh [build|demo|test|bench]" ;;
esac

found() {
  case $1 in
    */*)
      for file in $1; do
        [ ! -e "$file" ] || return 0
      done
      return 1
      ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

[ "$(uname -s)" = Linux ] || die "turf runs on Linux only; this is $(uname -s)"
case $(uname -m) in
  x86_64 | aarch64) ;;
  *) die "turf is built for x86_64 and aarch64; this is $(uname -m)" ;;
esac
kernel=$(uname -r)
major=${kernel%%.*}
minor=${kernel#*.}
minor=${minor%%[!0-9]*}
[ "$major" -gt 5 ] || { [ "$major" -eq 5 ] && [ "$minor" -ge 12 ]; } ||
  die "turf needs Linux 5.12 or newer (openat2, clone3, mount_setattr); this is $kernel"

# sbin holds runc and ip on Debian, and is not on every user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

missing=
for entry in $wanted; do
  found "${entry#*:}" || missing="$missing ${entry%%:*}"
done
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 ||
    die "this system has no apt-get: install by hand what Debian calls$missing, then run this again"
  [ "$(id -u)" = 0 ] || die "missing:$missing. As root: apt-get install --no-install-recommends$missing"
  say "installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2 </dev/null || say "apt-get update failed; trying with the package lists at hand"
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -y -qq --no-install-recommends $missing >&2 </dev/null ||
    die "apt-get could not install:$missing"
fi

command -v node >/dev/null 2>&1 || die "Node.js 20 or newer is needed (https://nodejs.org); there is no node on PATH"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
  die "Node.js 20 or newer is needed; this is $(node --version)"
command -v npm >/dev/null 2>&1 || die "npm is needed; there is none on PATH"

lock=$(sha256sum package-lock.json | cut -d' ' -f1)
stamp=node_modules/.turf-lock
if [ "$(cat $stamp 2>/dev/null)" != "$lock" ]; then
  # A tree that npm itself installed after the lock file last changed is as good as ours.
  if [ -f $stamp ] || [ ! -f node_modules/.package-lock.json ] ||
    [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say "npm ci"
    npm ci --no-audit --no-fund >&2 </dev/null || die "npm ci failed"
  fi
  printf '%s\n' "$lock" >$stamp
fi

sh scripts/build.sh

if [ "$purpose" != build ] && [ "$(id -u)" != 0 ]; then
  say "not root: containers cannot be made; what needs root is skipped or fails with that reason"
fi
