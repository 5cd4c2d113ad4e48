import { type SeedPolicy } from '../../cli/seed-operations.js';
import { TurfError } from '../../cli/turf-error.js';
import { type Container } from '../containers/container.js';
import { residentBytes } from './liveness.js';
import { type SeedMaking } from './make-seed.js';

/** How versions of a seed are made and removed. */
export interface VersionMaking {
  /** Creates, starts and waits until parked; leaves nothing where that fails. */
  make(making: SeedMaking): Promise<Container>;
  /** Ends the container, whatever it does, and removes it. */
  remove(container: Container): Promise<void>;
  /** What was cloned from it and lives. */
  clones(seed: Container): readonly Container[];
  forks(id: string): number;
  setForks(id: string, count: number): void;
}

/** The container of a seed's version beyond the first, which has the seed's name. */
export function versionId(name: string, number: number): string {
  return `${name}+${number}`;
}

/**
 * Makes a version that parks with no more memory than its policy allows.
 *
 * @throws TurfError where it does not park, or parks with more: nothing of it is left
 */
export async function makeWithin(
  versions: VersionMaking,
  making: SeedMaking,
  { maxMemory }: SeedPolicy,
): Promise<Container> {
  const container = await versions.make(making);
  const bytes = residentBytes(container.facts.process?.pid ?? 0);
  if (maxMemory === undefined || bytes <= maxMemory) return container;
  await versions.remove(container);
  throw new TurfError(
    'TURF_ERR_SEED',
    `seed ${making.id} parks with ${bytes} bytes, more than ${maxMemory}`,
    {
      path: 'policy.maxMemory',
    },
  );
}
