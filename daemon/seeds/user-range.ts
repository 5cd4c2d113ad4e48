import { TurfError } from '../../cli/turf-error.js';
import { type Facts } from '../containers/facts.js';

/** Above what useradd(8) and newuidmap(1) give out by default. */
const FIRST_BASE = 2_000_000_000;
export const RANGE_SIZE = 65_536;
const RANGES = 30_000;

/**
 * The first host uid (and gid) of a range that no seed, and no worker that outlived its seed, uses: tenants never share ids.
 *
 * @throws TurfError TURF_ERR_SEED when all are taken
 */
export function freeUserRange(facts: Iterable<Facts>): number {
  const taken = new Set<number>();
  for (const { idBase } of facts) if (idBase !== undefined) taken.add(idBase);
  for (let index = 0; index < RANGES; index++) {
    const base = FIRST_BASE + index * RANGE_SIZE;
    if (!taken.has(base)) return base;
  }
  throw new TurfError('TURF_ERR_SEED', `all ${RANGES} ranges of user ids are in use`);
}
