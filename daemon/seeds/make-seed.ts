import { TurfError } from '../../cli/turf-error.js';
import { readTurfMember } from '../../oci-spec/turf-member.js';
import { configWarnings } from '../../oci-spec/semantic.js';
import { refuseUnsupported } from '../../oci-spec/unsupported.js';
import { asTurfError, readBundle } from '../containers/bundle.js';
import { type Container } from '../containers/container.js';
import { createContainer } from '../containers/create.js';
import { deleteContainer } from '../containers/delete.js';
import { type ExitWatch } from '../containers/exits.js';
import { startContainer } from '../containers/start.js';
import { type Machine } from '../machine.js';
import { type Seeds } from './seeds.js';

export interface SeedMaking {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  readonly timeoutMs: number;
  /** Clones to make ahead of their use; absent: as the bundle says. */
  readonly pool: number | undefined;
}

/**
 * Creates a seed, starts it and waits until it has parked; leaves nothing where that fails.
 *
 * @throws TurfError
 */
export async function makeSeed(
  machine: Machine,
  exits: ExitWatch,
  seeds: Pick<Seeds, 'spec' | 'whenParked' | 'dropAhead'>,
  { id, bundle: directory, timeoutMs, pool }: SeedMaking,
): Promise<Container> {
  const bundle = readBundle(directory);
  const member = asTurfError(() => readTurfMember(bundle.config));
  if (member.kind !== 'seed')
    throw new TurfError('TURF_ERR_CONFIG', 'turf.seed: must be set for a seed', { path: 'turf.seed' });
  asTurfError(() => refuseUnsupported(bundle.config, machine.capabilities));
  for (const { path, message } of configWarnings(bundle.config))
    machine.log.warn({ id, field: path }, message);
  const container = await createContainer(machine, exits, { id, bundle: directory }, () =>
    seeds.spec(id, bundle, { ...member, pool: pool ?? member.pool }),
  );
  try {
    await startContainer(machine, exits, container);
    await seeds.whenParked(container, timeoutMs);
  } catch (error) {
    await seeds.dropAhead(id);
    await deleteContainer(machine, container, true);
    throw error;
  }
  return container;
}
