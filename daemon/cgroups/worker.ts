import { closeSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenAs } from '../../native-shim/open-as.js';
import type { OciResources } from '../../oci-spec/config.js';
import type { CgroupEntry, CgroupHandle } from './cgroup.js';
import { cgroupError } from './control-file.js';
import type { CgroupLayout } from './layout.js';

/** Limits of a worker. */
export interface WorkerLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Whole or fractional CPUs. */
  readonly cpus?: number;
  readonly pids?: number;
}

const PERIOD = 100_000; // microseconds, the kernel's default

/**
 * A worker's limits as linux.resources.
 *
 * @param limitSwap also forbid swap, so that the memory limit bounds all that the worker can hold
 */
export function workerResources({ memory, cpus, pids }: WorkerLimits, limitSwap: boolean): OciResources {
  return {
    ...(memory === undefined ? {} : { memory: { limit: memory, ...(limitSwap ? { swap: memory } : {}) } }),
    ...(cpus === undefined
      ? {}
      : { cpu: { quota: Math.max(1000, Math.round(cpus * PERIOD)), period: PERIOD } }),
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
  };
}

/** Whether swap can be limited: v1 kernels count it only with `swapaccount=1`; a v2 kernel without swap needs no limit. */
export function countsSwap(layout: CgroupLayout): boolean {
  if (layout.mode === 'v2') return true;
  const memory = layout.hierarchies.find(({ controllers }) => controllers.includes('memory'));
  return memory !== undefined && existsSync(join(memory.mountPoint, 'memory.memsw.limit_in_bytes'));
}

/**
 * Opens what an untrusted process of uid `hostUid` may hold to enter the cgroup: v1 `tasks` files that move processes of that
 * uid only. There is no such descriptor on v2, nor where systemd makes the cgroup: the caller puts the process in (an empty list says so).
 *
 * @param hostUid the uid as the host sees it
 * @returns descriptors that the caller owns
 * @throws TurfError TURF_ERR_CGROUP
 */
export function enterAs(cgroup: CgroupHandle, hostUid: number, openAs: OpenAs): CgroupEntry {
  const tasksFds: number[] = [];
  if (cgroup.needsPid) return { tasksFds };
  try {
    for (const { directory } of cgroup.describe().hierarchies) {
      tasksFds.push(openAs(hostUid, join(directory, 'tasks'), constants.O_WRONLY));
    }
  } catch (error) {
    for (const fd of tasksFds) closeSync(fd);
    throw cgroupError('cgroup', `open ${cgroup.describe().path} for uid ${hostUid}`, error);
  }
  return { tasksFds };
}
