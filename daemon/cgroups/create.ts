import type { AttachDeviceFilter } from '../../native-shim/device-filter.js';
import type { OciResources } from '../../oci-spec/config.js';
import type { CgroupHandle } from './cgroup.js';
import { cgroupError } from './control-file.js';
import { DirectoriesCgroup } from './directories-cgroup.js';
import { MadeDirectories } from './directory.js';
import type { CgroupDirectory, CgroupFacts } from './facts.js';
import { v1IsFrozen, v2IsFrozen } from './freezer.js';
import type { CgroupLayout } from './layout.js';
import { splitLimits } from './split-limits.js';
import { applyV1, makeV1 } from './v1.js';
import { delegateV2 } from './v2-delegate.js';
import { v2Limits } from './v2-limits.js';
import { applyV2, applyV2Devices, makeV2 } from './v2.js';

export interface CreateCgroupOptions {
  readonly layout: CgroupLayout;
  /** Below each mount point; starts with `/`. */
  readonly path: string;
  /** linux.resources; absent: no limits, default devices. */
  readonly resources?: OciResources;
  /**
   * `full` (default): every hierarchy. `lean`: on v1 only those that account, freeze or limit, and not the unified one of a
   * hybrid machine. A seed and its clones are lean: a clone is born where its seed is and leaves v1 hierarchies by itself, each for
   * the price of a directory, and without device nodes and mknod(2) it needs no device policy.
   */
  readonly scope?: 'full' | 'lean';
  /** Take existing directories although processes are in them: systemd made them around the container's own. */
  readonly takePopulated?: boolean;
  /** v2: the host's uid of the program, which may make cgroups below. Absent: the cgroup stays root's. */
  readonly owner?: number;
  readonly attachDeviceFilter: AttachDeviceFilter;
}

const LEAN_CONTROLLERS = ['cpu', 'cpuacct', 'memory', 'pids', 'freezer'] as const;

type V1Layout = Exclude<CgroupLayout, { mode: 'v2' }>;

function createV1(made: MadeDirectories, layout: V1Layout, options: CreateCgroupOptions): CgroupFacts {
  const { path, resources = {}, scope = 'full' } = options;
  const hasV1 = (controller: string): boolean =>
    layout.hierarchies.some(({ controllers }) => controllers.includes(controller));
  const { v1: limits, unified: unifiedLimits } = splitLimits(resources, hasV1, layout.unified !== undefined);
  const needed = new Set([...LEAN_CONTROLLERS, ...limits.map(({ controller }) => controller)]);
  const joined =
    scope === 'full'
      ? layout.hierarchies
      : layout.hierarchies.filter(({ controllers }) => controllers.some((name) => needed.has(name)));
  const hierarchies = makeV1(made, joined, path);
  const freezer = hierarchies.find(({ controllers }) => controllers.includes('freezer'));
  if (freezer !== undefined) refuseFrozen(v1IsFrozen, freezer.directory);
  applyV1(
    hierarchies,
    limits,
    scope === 'lean' && resources.devices === undefined ? 'none' : resources.devices,
  );
  let unified: CgroupDirectory | undefined;
  if (layout.unified !== undefined && (scope === 'full' || unifiedLimits.length > 0)) {
    unified = makeV2(made, layout.unified, path, unifiedLimits, false);
    applyV2(unified.directory, unifiedLimits, undefined);
  }
  return { manager: 'cgroupfs', mode: layout.mode, path, hierarchies, ...(unified ? { unified } : {}) };
}

function createV2(made: MadeDirectories, root: string, options: CreateCgroupOptions): CgroupFacts {
  const { path, resources = {} } = options;
  const limits = v2Limits(resources);
  const unified = makeV2(made, root, path, limits, true);
  refuseFrozen(v2IsFrozen, unified.directory);
  applyV2(unified.directory, limits, resources.memory);
  applyV2Devices(unified.directory, resources.devices, options.attachDeviceFilter);
  if (options.owner !== undefined) delegateV2(unified.directory, options.owner);
  return { manager: 'cgroupfs', mode: 'v2', path, hierarchies: [], unified };
}

/** A process that enters stops at once: a create would hang. Its parent, or who used the cgroup before, may have frozen it. */
function refuseFrozen(isFrozen: (directory: string) => boolean, directory: string): void {
  if (isFrozen(directory)) throw cgroupError('linux.cgroupsPath', `${directory} is frozen`);
}

/**
 * Makes a container's cgroup in every hierarchy of the machine and applies its limits and device policy; no process is in it
 * yet. A failure undoes what was made.
 *
 * @throws TurfError TURF_ERR_CGROUP naming field, file, value and errno; TURF_ERR_CONFIG for values that cannot be
 */
export function createCgroup(options: CreateCgroupOptions): CgroupHandle {
  const { layout } = options;
  const made = new MadeDirectories(options.takePopulated);
  try {
    return new DirectoriesCgroup(
      layout.mode === 'v2' ? createV2(made, layout.root, options) : createV1(made, layout, options),
    );
  } catch (error) {
    made.undo();
    throw error;
  }
}
