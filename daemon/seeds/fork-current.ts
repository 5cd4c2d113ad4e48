import { type ForkOptions } from '../../cli/operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type SeedKeeper } from './keeper.js';

/** How long a fork waits for a seed that is not parked. */
const UNREADY_PATIENCE_MS = 60_000;

/**
 * Forks from the current version of a seed. While there is none that has parked, the fork waits or fails, as the request
 * says; one that waits also outlives the end of the version that it was begun with.
 *
 * @param fork makes the clone from that version, and leaves nothing where it fails
 */
export async function forkCurrent<T>(
  keeper: SeedKeeper,
  { seed, whenUnready = 'fail' }: Pick<ForkOptions, 'seed' | 'whenUnready'>,
  fork: (version: string) => Promise<T>,
): Promise<T> {
  if (whenUnready === 'cold') {
    throw new TurfError('TURF_ERR_UNSUPPORTED', 'whenUnready: several workers at once cannot start cold', {
      path: 'whenUnready',
    });
  }
  const deadline = Date.now() + UNREADY_PATIENCE_MS;
  for (;;) {
    if (whenUnready === 'wait') await keeper.whenReady(seed, Math.max(1, deadline - Date.now()));
    const version = keeper.entered(seed);
    try {
      return await fork(version);
    } catch (error) {
      const again = whenUnready === 'wait' && keeper.keeps(seed) && !keeper.ready(seed, version);
      if (!again || Date.now() >= deadline) throw error;
    } finally {
      keeper.left(seed, version);
    }
  }
}
