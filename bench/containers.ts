import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ociBundle } from './oci-bundle.js';
import { findProgram, type Peer } from './peers.js';
import type { Row } from './row.js';
import { spread } from './statistics.js';

/** Rounds that are run first and not counted. */
const WARM_UP = 3;

type Measure = (peer: Peer, round: number) => Promise<number>;

/** Runs every peer once a round, so that what else happens on the machine hits all alike. */
async function interleaved(
  what: string,
  peers: readonly Peer[],
  runs: number,
  measure: Measure,
): Promise<Row[]> {
  const taken = new Map<Peer, number[]>(peers.map((peer) => [peer, []]));
  for (let round = -WARM_UP; round < runs; round++)
    for (const [peer, values] of taken) {
      const ms = await measure(peer, round + WARM_UP);
      if (round >= 0) values.push(ms);
    }
  return [...taken].map(([peer, values]) => ({ what, who: peer.name, unit: 'ms', figures: spread(values) }));
}

function busybox(): string {
  const found = findProgram('busybox');
  if (found === undefined) throw new Error('busybox is not installed (Debian: busybox-static)');
  return found;
}

/** create + start + delete -f of `runc spec`'s default container running sleep, through each peer's CLI. */
export function lifecycle(peers: readonly Peer[], directory: string, runs: number): Promise<Row[]> {
  const bundle = join(directory, 'sleep');
  mkdirSync(bundle);
  ociBundle(bundle, busybox(), ['sleep', '1000']);
  return interleaved('create + start + delete -f', peers, runs, (peer, round) => {
    const id = `bench-${process.pid}-${round}`;
    return peer.time(['create', '--bundle', bundle, id], ['start', id], ['delete', '--force', id]);
  });
}

/** run of /bin/true in the same container. */
export function runTrue(peers: readonly Peer[], directory: string, runs: number): Promise<Row[]> {
  const bundle = join(directory, 'true');
  mkdirSync(bundle);
  ociBundle(bundle, busybox(), ['true']);
  return interleaved('run /bin/true', peers, runs, (peer, round) =>
    peer.time(['run', '--bundle', bundle, `bench-${process.pid}-${round}`]),
  );
}
