import { chownSync } from 'node:fs';
import { join } from 'node:path';
import type { OciConfig, OciIdMapping } from '../../oci-spec/config.js';
import { cgroupError, hasGone, tryReadControl } from './control-file.js';

/** What the kernel lists since 4.15; older lists are shorter. */
const FILES = 'cgroup.procs\ncgroup.threads\ncgroup.subtree_control';

/**
 * Gives a cgroup to a user: the directory and those files in it that the kernel says are for the delegatee
 * (cgroup-v2.rst, "Model of Delegation"). The limits stay root's.
 *
 * @throws TurfError TURF_ERR_CGROUP
 */
export function delegateV2(directory: string, uid: number, list = '/sys/kernel/cgroup/delegate'): void {
  const files = (tryReadControl(list) ?? FILES).split('\n').filter((file) => /^[a-z_.]+$/.test(file));
  for (const path of [directory, ...files.map((file) => join(directory, file))]) {
    try {
      chownSync(path, uid, -1);
    } catch (error) {
      /* memory.reclaim and others are listed although this cgroup has no such controller */
      if (path === directory || !hasGone(error))
        throw cgroupError('cgroup', `give ${path} to uid ${uid}`, error);
    }
  }
}

function hostId(id: number, mappings: readonly OciIdMapping[]): number | undefined {
  const found = mappings.find(({ containerID, size }) => id >= containerID && id - containerID < size);
  return found && found.hostID + (id - found.containerID);
}

/**
 * Whom a container's cgroup is to belong to: the user of the program, where it has a cgroup namespace of its own and mounts its
 * cgroup for writing (runtime-spec config-linux.md, "Cgroup ownership").
 *
 * @returns the host's uid; undefined: nobody but root
 */
export function cgroupOwner({ process, mounts, linux }: OciConfig): number | undefined {
  const isNew = (wanted: string): boolean =>
    linux?.namespaces?.some(({ type, path }) => type === wanted && (path ?? '') === '') === true;
  const writable = mounts?.some(
    ({ type, options }) =>
      (type === 'cgroup' || type === 'cgroup2') &&
      !options?.some((option) => option === 'ro' || option === 'rro'),
  );
  if (!isNew('cgroup') || writable !== true) return undefined;
  const uid = process?.user?.uid ?? 0;
  if (isNew('user')) return hostId(uid, linux?.uidMappings ?? []);
  const joinsUser = linux?.namespaces?.some(({ type }) => type === 'user') === true;
  return joinsUser || uid === 0 ? undefined : uid;
}
