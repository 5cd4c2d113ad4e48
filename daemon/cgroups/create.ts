import type { AttachDeviceFilter } from '../../native-shim/device-filter.js';
import type { OciResources } from '../../oci-spec/config.js';
import type { CgroupHandle } from './cgroup.js';
import { DirectoriesCgroup } from './directories-cgroup.js';
import { MadeDirectories } from './directory.js';
import type { CgroupDirectory, CgroupFacts } from './facts.js';
import type { CgroupLayout } from './layout.js';
import { v1Limits } from './v1-limits.js';
import { applyV1, makeV1 } from './v1.js';
import { v2Limits } from './v2-limits.js';
import { applyV2, applyV2Devices, makeV2 } from './v2.js';

export interface CreateCgroupOptions {
  readonly layout: CgroupLayout;
  /** Below each mount point; starts with `/`. */
  readonly path: string;
  /** linux.resources; absent: no limits, default devices. */
  readonly resources?: OciResources;
  /**
   * Hybrid: also join the unified hierarchy (default). Off for seeds and workers: a clone of a seed is born in the seed's
   * cgroups, and leaves v1 ones by itself but the unified one only slowly, from outside.
   */
  readonly joinUnified?: boolean;
  /** Take existing directories although processes are in them: systemd made them around the container's own. */
  readonly takePopulated?: boolean;
  readonly attachDeviceFilter: AttachDeviceFilter;
}

type V1Layout = Exclude<CgroupLayout, { mode: 'v2' }>;

function createV1(made: MadeDirectories, layout: V1Layout, options: CreateCgroupOptions): CgroupFacts {
  const { path, resources = {}, joinUnified = true } = options;
  const hasV1 = (controller: string): boolean =>
    layout.hierarchies.some(({ controllers }) => controllers.includes(controller));
  const hugetlbOnV1 = hasV1('hugetlb');
  const rdmaOnV1 = hasV1('rdma');
  const limits = v1Limits(resources).filter(
    ({ controller }) =>
      layout.unified === undefined ||
      (controller === 'hugetlb' ? hugetlbOnV1 : controller === 'rdma' ? rdmaOnV1 : true),
  );
  const { hugepageLimits, rdma } = resources;
  const unifiedLimits = v2Limits({
    ...(hugepageLimits && !hugetlbOnV1 ? { hugepageLimits } : {}),
    ...(rdma && !rdmaOnV1 ? { rdma } : {}),
  });
  const hierarchies = makeV1(made, layout.hierarchies, path);
  applyV1(hierarchies, limits, resources.devices);
  let unified: CgroupDirectory | undefined;
  if (layout.unified !== undefined && (joinUnified || unifiedLimits.length > 0)) {
    unified = makeV2(made, layout.unified, path, unifiedLimits, false);
    applyV2(unified.directory, unifiedLimits, undefined);
  }
  return { manager: 'cgroupfs', mode: layout.mode, path, hierarchies, ...(unified ? { unified } : {}) };
}

function createV2(made: MadeDirectories, root: string, options: CreateCgroupOptions): CgroupFacts {
  const { path, resources = {} } = options;
  const limits = v2Limits(resources);
  const unified = makeV2(made, root, path, limits, true);
  applyV2(unified.directory, limits, resources.memory);
  applyV2Devices(unified.directory, resources.devices, options.attachDeviceFilter);
  return { manager: 'cgroupfs', mode: 'v2', path, hierarchies: [], unified };
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
