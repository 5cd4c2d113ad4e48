#!/bin/sh
# npm run demo [-- --json] [--keep]: set up, then the demo. Set-up talks on stderr, the demo's result is all of stdout.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh demo 1>&2
exec dist/node dist/demo/demo.js "$@"
