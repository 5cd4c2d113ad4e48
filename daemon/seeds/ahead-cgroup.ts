import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode } from '../cgroups/control-file.js';
import { leftoverCgroup, restoreCgroup } from '../containers/container-cgroup.js';
import { endCgroup } from '../containers/leftovers.js';
import { type Machine } from '../machine.js';

/** No container id has this character, so that the cgroup of a clone made ahead is no container's. */
const MARK = '~';
const PARENT = '/turf';

let made = 0;
const started = Date.now().toString(36);

/** Where a clone of a seed lives that was made before it had an id; it stays there as a worker. */
export function aheadCgroupPath(seedId: string): string {
  made += 1;
  return `${PARENT}/${seedId}${MARK}${started}${made.toString(36)}`;
}

/**
 * Removes what an earlier daemon made ahead for seeds of this root. The clones ended with their connection to it; those that
 * had become workers are kept.
 */
export async function removeLeftAhead(machine: Machine): Promise<void> {
  const kept = new Set([...machine.containers.values()].map(({ facts }) => facts.cgroup?.path));
  for (const path of aheadPaths(machine)) {
    if (kept.has(path)) continue;
    try {
      const left = leftoverCgroup(machine.cgroupLayout, path);
      if (left === undefined) continue;
      await endCgroup(restoreCgroup(left));
    } catch (err) {
      machine.log.error({ path, err }, 'could not remove the cgroup of a clone that was made ahead');
    }
  }
}

function aheadPaths(machine: Machine): Set<string> {
  const { cgroupLayout: layout, containers } = machine;
  const mounts =
    layout.mode === 'v2' ? [layout.root] : layout.hierarchies.map(({ mountPoint }) => mountPoint);
  const names = mounts.flatMap((mount) => list(join(mount, PARENT)));
  const isOurs = (name: string): boolean => {
    const end = name.indexOf(MARK);
    return end > 0 && containers.get(name.slice(0, end))?.facts.kind === 'seed';
  };
  return new Set(names.filter(isOurs).map((name) => `${PARENT}/${name}`));
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    throw error;
  }
}
