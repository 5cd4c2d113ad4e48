#!/bin/sh
# Builds dist/ from C and TypeScript when a source is newer than the last good build.
set -eu
cd "$(dirname "$0")/.."

for tool in gcc make; do
  command -v "$tool" >/dev/null 2>&1 || {
    echo "build: $tool is missing; on Debian, as root: apt-get install --no-install-recommends gcc make libc6-dev musl-tools (or: npm run setup)" >&2
    exit 1
  }
done

command -v musl-gcc >/dev/null 2>&1 ||
  echo "build: without musl-gcc (Debian: musl-tools) turf, turfd and turf-init are linked with glibc and start more slowly" >&2
for tool in tsc esbuild; do
  [ -x "node_modules/.bin/$tool" ] || {
    echo "build: node_modules/.bin/$tool is missing, which only a build needs: run npm ci without --omit=dev" >&2
    exit 1
  }
done
# C and TypeScript need nothing of each other, and take about as long.
make -s -C native-shim &
native=$!

# Folders count too: their time changes when a file is removed from them.
sources='oci-spec native-shim daemon cli aworker bench demo test tsconfig.json package.json scripts/bundle-runtime.js'
if [ ! -e dist/.built ] ||
  [ -n "$(find $sources \( -name '*.ts' -o -name '*.json' -o -name '*.js' -o -type d \) -newer dist/.built -print -quit)" ]; then
  node_modules/.bin/tsc -p tsconfig.json || {
    echo "build: TypeScript errors (above)" >&2
    wait "$native"
    exit 1
  }
  node scripts/bundle-runtime.js || {
    wait "$native"
    exit 1
  }
  : >dist/.built
fi
wait "$native" || {
  echo "build: C errors (above)" >&2
  exit 1
}

# Daemon and seeds run on the Node.js that built them, whatever PATH an engine hands down later.
node=$(node -p process.execPath)
[ "$(readlink dist/node || true)" = "$node" ] || ln -sfn "$node" dist/node
[ ! -f dist/aworker/main.js ] || [ -x dist/aworker/main.js ] || chmod +x dist/aworker/main.js
