import { TurfError } from '../../cli/turf-error.js';
import { type Facts } from '../containers/facts.js';

/** Above what useradd(8) and newuidmap(1) give out by default. */
const FIRST_BASE = 2_000_000_000;
export const RANGE_SIZE = 65_536;
const RANGES = 30_000;
/** Ids of a seed that others are cloned from: each of these takes its own out of them. */
export const BASE_RANGE_SIZE = 16 * RANGE_SIZE;
/** Ids of a seed that is a clone: root, a worker's, and what lies between. */
export const CLONED_RANGE_SIZE = 1024;

type Owner = Pick<Facts, 'idBase' | 'idCount'>;

/**
 * The first host uid (and gid) of a range that no seed, and no worker that outlived its seed, uses: tenants never share ids.
 *
 * @param size a multiple of RANGE_SIZE
 * @throws TurfError TURF_ERR_SEED when all are taken
 */
export function freeUserRange(facts: Iterable<Owner>, size: number = RANGE_SIZE): number {
  const taken = new Set<number>();
  for (const { idBase, idCount = RANGE_SIZE } of facts) {
    if (idBase === undefined) continue;
    const first = Math.floor((idBase - FIRST_BASE) / RANGE_SIZE);
    for (let index = first; index * RANGE_SIZE < idBase - FIRST_BASE + idCount; index++) taken.add(index);
  }
  const wanted = size / RANGE_SIZE;
  for (let index = 0, free = 0; index < RANGES; index++) {
    free = taken.has(index) ? 0 : free + 1;
    if (free === wanted) return FIRST_BASE + (index - wanted + 1) * RANGE_SIZE;
  }
  throw new TurfError('TURF_ERR_SEED', `all ${RANGES} ranges of user ids are in use`);
}

/**
 * A range inside of a base's that none of its clones, and no worker that outlived one, uses. The first is the base's own.
 *
 * @returns the first id as the host sees it
 * @throws TurfError TURF_ERR_SEED when all are taken
 */
export function freeClonedRange({ idBase = 0, idCount = RANGE_SIZE }: Owner, facts: Iterable<Owner>): number {
  const taken = new Set(Array.from(facts, (other) => other.idBase));
  for (let first = idBase + CLONED_RANGE_SIZE; first < idBase + idCount; first += CLONED_RANGE_SIZE)
    if (!taken.has(first)) return first;
  throw new TurfError('TURF_ERR_SEED', 'all user ids of the base are in use');
}
