#!/bin/sh
# npm run bench [-- --json] [--only PART,…] [--runs N] [--peers]
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh bench 1>&2
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
exec dist/node dist/bench/main.js "$@"
