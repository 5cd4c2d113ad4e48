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
import { type SeedCloning } from './clone-seed.js';
import { type Machine } from '../machine.js';
import { type Seeds } from './seeds.js';

export interface SeedMaking {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  readonly timeoutMs: number;
  /** Clones to make ahead of their use; absent: as the bundle says. */
  readonly pool: number | undefined;
  /** Name of the seed to clone; absent: as the bundle says, or none: the seed is started. */
  readonly from: string | undefined;
}

/** How the seeds of this daemon are made, and learn that they have parked. */
interface SeedMakers extends Pick<Seeds, 'spec' | 'whenParked' | 'dropAhead'> {
  clone(cloning: SeedCloning): Promise<Container>;
}

/**
 * Creates a seed, starts it or clones its base, and waits until it has parked; leaves nothing where that fails.
 *
 * @throws TurfError
 */
export async function makeSeed(
  machine: Machine,
  exits: ExitWatch,
  seeds: SeedMakers,
  making: SeedMaking,
): Promise<Container> {
  const { id, timeoutMs } = making;
  const bundle = readBundle(making.bundle);
  const given = asTurfError(() => readTurfMember(bundle.config));
  if (given.kind !== 'seed')
    throw new TurfError('TURF_ERR_CONFIG', 'turf.seed: must be set for a seed', { path: 'turf.seed' });
  asTurfError(() => refuseUnsupported(bundle.config, machine.capabilities));
  for (const { path, message } of configWarnings(bundle.config))
    machine.log.warn({ id, field: path }, message);
  const member = { ...given, pool: making.pool ?? given.pool };
  const from = making.from ?? member.from;
  const container =
    from === undefined
      ? await createContainer(machine, exits, { id, bundle: making.bundle }, () =>
          seeds.spec(id, bundle, member),
        )
      : await seeds.clone({ id, from, bundle, member });
  try {
    if (from === undefined) await startContainer(machine, exits, container);
    await seeds.whenParked(container, timeoutMs);
  } catch (error) {
    await seeds.dropAhead(id);
    await deleteContainer(machine, container, true);
    throw error;
  }
  return container;
}
