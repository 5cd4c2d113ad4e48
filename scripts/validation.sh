#!/bin/sh
# Runs the OCI runtime-tools validation programs against turf and, beside it, crun and runc where they are installed.
#   sh scripts/validation.sh DIR [RUNTIME ...]
# DIR is a checkout of opencontainers/runtime-tools after `make runtimetest validation-executables`; RUNTIME are of turf, crun, runc.
# A program passes when it exits with 0 and prints no `not ok`. TURF_VALIDATION_ONLY=PATTERN picks programs; logs are kept in
# TURF_VALIDATION_LOGS, a new directory by default. TURF_VALIDATION_CONTROLLERS=hugetlb takes that controller from the v2 hierarchy of a hybrid layout
# meanwhile, for the programs that know v1 only: on the whole machine, so it is not the default. Exits with 0 when turf passes whatever one of the others passes.
set -u
# In a mount namespace of its own: what is mounted here is nobody else's business.
[ "${TURF_VALIDATION_APART:-}" = 1 ] || TURF_VALIDATION_APART=1 exec unshare -m sh "$0" "$@"
project=$(cd "$(dirname "$0")/.." && pwd)
dir=$(cd "${1:?directory of runtime-tools}" && pwd) || exit 2
shift
[ -x "$dir/runtimetest" ] || {
  echo "$dir: run 'make runtimetest validation-executables' there first" >&2
  exit 2
}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
[ $# -gt 0 ] || set -- turf crun runc

work=$(mktemp -d)
chmod 755 "$work"
logs=${TURF_VALIDATION_LOGS:-$(mktemp -d)}
mkdir -p "$logs"
daemon=
finish() {
  if [ -n "$daemon" ]; then
    kill "$daemon" 2>/dev/null
    wait "$daemon" 2>/dev/null
  fi
  umount "$work/state" 2>/dev/null
  for place in ${mounted:-}; do unmount "$place"; done
  give_back
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# Frees a controller from the v2 hierarchy of a hybrid layout: a v1 mount of it fails while any v2 cgroup has it.
unified=/sys/fs/cgroup/unified
take() {
  grep -qw "$1" "$unified/cgroup.controllers" 2>/dev/null || return 0
  find "$unified" -depth -name cgroup.subtree_control | while read -r file; do
    if grep -qw "$1" "$file" && echo "-$1" >"$file"; then echo "$1 $file" >>"$work/taken"; fi
  done
}
# A v1 hierarchy outlives its mount while it has cgroups, and those go some time after rmdir. Runtimes elsewhere on the machine may have made
# plain directories below the mount point.
unmount() {
  find "$1" -depth -mindepth 1 -type d -exec rmdir {} + 2>/dev/null
  sleep 1
  umount "$1" && rm -rf --one-file-system "$1"
}
# Some time after that the root has the controller again; parents come before children.
give_back() {
  [ -e "$work/taken" ] || return 0
  tac "$work/taken" | while read -r controller file; do
    tries=0
    until grep -qw "$controller" "$unified/cgroup.controllers" || [ "$tries" -ge 100 ]; do
      tries=$((tries + 1))
      sleep 0.1
    done
    [ ! -e "$file" ] || echo "+$controller" >"$file" || echo "not given back to cgroup v2: $controller in $file" >&2
  done
}

# Some programs look for v1 hierarchies that a machine may have left unmounted.
for controller in net_cls net_prio ${TURF_VALIDATION_CONTROLLERS:-}; do
  place=/sys/fs/cgroup/$controller
  if [ -d /sys/fs/cgroup/memory ] && [ ! -e "$place" ] && grep -q "^$controller" /proc/cgroups; then
    take "$controller"
    mkdir "$place"
    tries=0
    until mount -t cgroup -o "$controller" cgroup "$place" 2>/dev/null || [ "$tries" -ge 20 ]; do
      tries=$((tries + 1))
      sleep 0.1
    done
    if mountpoint -q "$place"; then
      mounted="${mounted:-} $place"
    else
      echo "cgroup v1 has no $controller here: it is in use elsewhere" >&2
      rmdir "$place"
    fi
  fi
done

# State on a tmpfs, for every runtime.
mkdir "$work/state"
mount -t tmpfs -o mode=711 tmpfs "$work/state"

# crun before 1.9 takes no config newer than 1.0: it gets the same one under that version.
wrap() {
  echo '#!/bin/sh'
  [ "$1" != crun ] ||
    # shellcheck disable=SC2016 # expanded by the wrapper
    echo 'for a; do [ "$p" != --bundle ] || sed -i "s/\"ociVersion\": *\"[^\"]*\"/\"ociVersion\": \"1.0.2\"/" "$a/config.json"; p=$a; done'
  printf 'exec %s --root %s "$@"\n' "$2" "$work/state/$1"
}

runtimes=
for name; do
  case $name in
    turf)
      TURF_ROOT=$work/state/turf
      TURF_NO_AUTOSTART=1
      export TURF_ROOT TURF_NO_AUTOSTART
      "$project/bin/turfd" --root "$TURF_ROOT" >"$logs/turfd.log" 2>&1 &
      daemon=$!
      tries=0
      until "$project/bin/turf" list >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || {
          echo "turfd does not answer: $logs/turfd.log" >&2
          exit 1
        }
        sleep 0.1
      done
      ln -s "$project/bin/turf" "$work/turf"
      ;;
    *)
      program=$(command -v "$name") || {
        echo "$name is not installed: left out" >&2
        continue
      }
      wrap "$name" "$program" >"$work/$name"
      chmod 755 "$work/$name"
      ;;
  esac
  runtimes="$runtimes $name"
done

# A mount namespace for each: others leave mounts behind. crun before 1.9 refuses the hybrid cgroup layout: it gets one without v2.
apart() {
  without=
  if [ "$1" = crun ] && [ -d /sys/fs/cgroup/unified ]; then without=/sys/fs/cgroup/unified; fi
  shift
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare -m sh -c '[ -z "$0" ] || umount "$0"; exec "$@"' "$without" "$@"
}

# Some programs race against the container's program; any of three tries counts, for every runtime.
passes() {
  attempt "$@" || attempt "$@" || attempt "$@"
}

attempt() {
  log=$logs/$2.$1.log
  (cd "$dir" && RUNTIME=$work/$1 apart "$1" timeout -k 5 "${TURF_VALIDATION_TIMEOUT:-60}" "validation/$2/$2.t") \
    >"$log" 2>&1 </dev/null
  status=$?
  [ "$status" = 0 ] || echo "exit status $status" >>"$log"
  [ "$status" = 0 ] && ! grep -q 'not ok' "$log"
}

printf '%-40s' program
# shellcheck disable=SC2086 # a list of names
printf ' %-5s' $runtimes
printf '\n'
failed=0
for path in "$dir"/validation/*/*.t; do
  program=$(basename "$path" .t)
  case $program in *"${TURF_VALIDATION_ONLY:-}"*) ;; *) continue ;; esac
  printf '%-40s' "$program"
  ours=pass
  others=fail
  for name in $runtimes; do
    if passes "$name" "$program"; then verdict=pass; else verdict=fail; fi
    printf ' %-5s' "$verdict"
    if [ "$name" = turf ]; then ours=$verdict; fi
    if [ "$name" != turf ] && [ "$verdict" = pass ]; then others=pass; fi
    echo "$verdict $program" >>"$work/$name.verdicts"
  done
  printf '\n'
  if [ "$ours$others" = failpass ]; then failed=1; fi
done
for name in $runtimes; do
  printf '%s: %s of %s passed\n' "$name" "$(grep -c ^pass "$work/$name.verdicts")" "$(wc -l <"$work/$name.verdicts")"
done
echo "logs: $logs"
exit "$failed"
