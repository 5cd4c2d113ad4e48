import { constants } from 'node:os';
import { TurfError } from '../../cli/turf-error.js';
import { type CgroupHandle } from '../cgroups/cgroup.js';
import { cgroupfsLocation } from '../cgroups/path.js';
import { type Machine } from '../machine.js';
import { leftoverCgroup, restoreCgroup } from './container-cgroup.js';
import { storedConfig } from './stored-config.js';

type Holder = Pick<Machine, 'store' | 'containers' | 'cgroupLayout' | 'log'>;

/** Ends every process of a cgroup and removes it. @throws TurfError TURF_ERR_CGROUP */
export async function endCgroup(cgroup: CgroupHandle): Promise<void> {
  await cgroup.kill(constants.signals.SIGKILL);
  await cgroup.destroy();
}

/**
 * Where the cgroup of a container is of which state.json says nothing: where its config.json asks for it, or at the default place.
 */
function cgroupPath({ store, log }: Holder, id: string): string {
  const otherwise = `/turf/${id}`;
  try {
    const location = cgroupfsLocation(id, storedConfig(store, id).linux?.cgroupsPath);
    return location.manager === 'cgroupfs' ? location.path : otherwise;
  } catch (err) {
    log.warn(
      { id, err },
      'config.json of a half-made container cannot be used: its cgroup is taken to be at the default place',
    );
    return otherwise;
  }
}

/** Removes the cgroup of a container without facts, and ends who is in it, unless it is another container's. */
export async function removeLeftoverCgroup(machine: Holder, id: string): Promise<void> {
  const path = cgroupPath(machine, id);
  for (const other of machine.containers.values()) {
    if (other.id !== id && other.cgroup?.describe().path === path) return;
  }
  const left = leftoverCgroup(machine.cgroupLayout, path);
  if (left !== undefined) await endCgroup(restoreCgroup(left));
}

/**
 * Removes what is left of a container that the daemon could not take over: its state.json is missing or cannot be read.
 *
 * @throws TurfError TURF_ERR_NOT_FOUND where there is nothing of that id
 */
export async function deleteLeftovers(machine: Holder, id: string): Promise<void> {
  if (!machine.store.isOurs(id))
    throw new TurfError('TURF_ERR_NOT_FOUND', `container does not exist: ${id}`, { path: 'id' });
  await removeLeftoverCgroup(machine, id);
  machine.store.remove(id);
  machine.log.warn({ id }, 'removed what was left of a container');
}
