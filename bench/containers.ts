import { join } from 'node:path';
import { interleaved } from './interleaved.js';
import { ociBundle } from './oci-bundle.js';
import { type Peer } from './peers.js';
import { row, type Row } from './row.js';

/** create + start + delete -f of `runc spec`'s default container running sleep, through each peer's CLI. */
export async function lifecycle(peers: readonly Peer[], directory: string, runs: number): Promise<Row[]> {
  const bundle = ociBundle(join(directory, 'lifecycle'), ['sleep', '1000']);
  const taken = await interleaved(peers, runs, (peer, round) => {
    const id = `bench-${process.pid}-${round}`;
    return peer.time(['create', '--bundle', bundle, id], ['start', id], ['delete', '--force', id]);
  });
  return rows('create + start + delete -f', taken);
}

/** run of /bin/true in the same container. */
export async function runTrue(peers: readonly Peer[], directory: string, runs: number): Promise<Row[]> {
  const bundle = ociBundle(join(directory, 'run'), ['true']);
  const taken = await interleaved(peers, runs, (peer, round) =>
    peer.time(['run', '--bundle', bundle, `bench-${process.pid}-${round}`]),
  );
  return rows('run /bin/true', taken);
}

/** exec of /bin/true in a container that runs sleep. */
export async function execTrue(peers: readonly Peer[], directory: string, runs: number): Promise<Row[]> {
  const bundle = ociBundle(join(directory, 'exec'), ['sleep', '1000']);
  const id = `bench-${process.pid}-exec`;
  try {
    for (const peer of peers) await peer.time(['create', '--bundle', bundle, id], ['start', id]);
    return rows('exec /bin/true', await interleaved(peers, runs, (peer) => peer.time(['exec', id, 'true'])));
  } finally {
    await deleteEach(peers, [id]);
  }
}

/** How many creates are issued at once. */
const TOGETHER = 200;
/** Each round takes seconds. */
const PARALLEL_ROUNDS = 3;
const PARALLEL_WARM_UP = 1;

/** 200 creates issued at once: time to the end of the last one, and how many failed. */
export async function parallelCreates(peers: readonly Peer[], directory: string): Promise<Row[]> {
  const bundle = ociBundle(join(directory, 'parallel'), ['sleep', '1000']);
  const failed = new Map<Peer, number>(peers.map((peer) => [peer, 0]));
  const ids = Array.from({ length: TOGETHER }, (_, index) => `bench-${process.pid}-parallel-${index}`);
  const what = `${TOGETHER} creates in parallel`;
  const create = async (peer: Peer, round: number): Promise<number> => {
    const answer = await peer.together(...ids.map((id) => ['create', '--bundle', bundle, id]));
    await deleteEach([peer], ids);
    if (round >= 0) failed.set(peer, (failed.get(peer) ?? 0) + answer.failed.length);
    return answer.ms;
  };
  const taken = await interleaved(peers, PARALLEL_ROUNDS, create, PARALLEL_WARM_UP);
  return [
    ...rows(what, taken),
    ...[...failed].map(([peer, count]) =>
      row(`${what}: failures in ${PARALLEL_ROUNDS} rounds`, peer.name, 'failed', [count]),
    ),
  ];
}

/** Whether or not they were made. */
async function deleteEach(peers: readonly Peer[], ids: readonly string[]): Promise<void> {
  for (const peer of peers) for (const id of ids) await peer.together(['delete', '--force', id]);
}

function rows(what: string, taken: ReadonlyMap<Peer, readonly number[]>): Row[] {
  return [...taken].map(([peer, values]) => row(what, peer.name, 'ms', values));
}
