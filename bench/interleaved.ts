import type { Peer } from './peers.js';

/** Rounds that are run first and not counted. */
const WARM_UP = 3;

/**
 * Runs every peer once a round, so that what else happens on the machine hits all alike.
 *
 * @param measure is told the number of the round, below 0 for those that do not count
 * @returns what it answered, by peer, in the order of rounds
 */
export async function interleaved<T>(
  peers: readonly Peer[],
  runs: number,
  measure: (peer: Peer, round: number) => Promise<T>,
  warmUp = WARM_UP,
): Promise<ReadonlyMap<Peer, readonly T[]>> {
  const taken = new Map<Peer, T[]>(peers.map((peer) => [peer, []]));
  for (let round = -warmUp; round < runs; round++)
    for (const [peer, values] of taken) {
      const value = await measure(peer, round);
      if (round >= 0) values.push(value);
    }
  return taken;
}
