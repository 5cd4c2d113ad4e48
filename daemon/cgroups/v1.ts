import { closeSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { OciResources } from '../../oci-spec/config.js';
import { applyLimits } from './apply-limits.js';
import { cgroupError, openForWriting, readControl, tryReadControl, writeControl } from './control-file.js';
import { type DeviceRule, devicePolicy, v1DeviceLine } from './device-rules.js';
import { ancestors, type MadeDirectories, makeLeaf } from './directory.js';
import type { CgroupDirectory } from './facts.js';
import type { V1Hierarchy } from './layout.js';
import type { Limit } from './limit.js';
import { orderV1Limits } from './v1-order.js';

/** A cpuset without CPUs or memory nodes accepts no process; both are copied from the parent. */
function inheritCpuset(parent: string, directory: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readControl(join(directory, file)) !== '') continue;
    writeControl('cgroup', join(directory, file), readControl(join(parent, file)));
  }
}

function prepareCpusetParents(made: MadeDirectories, mountPoint: string, directory: string): void {
  let parent = mountPoint;
  for (const ancestor of ancestors(mountPoint, directory)) {
    made.tryMake(ancestor);
    inheritCpuset(parent, ancestor);
    /* children then copy cpus and mems when they are made, in the kernel */
    writeControl('cgroup', join(ancestor, 'cgroup.clone_children'), '1');
    parent = ancestor;
  }
}

function makeHierarchy(made: MadeDirectories, hierarchy: V1Hierarchy, path: string): CgroupDirectory {
  const { controllers, mountPoint } = hierarchy;
  const directory = join(mountPoint, path);
  const isCpuset = controllers.includes('cpuset');
  const isNew = makeLeaf(made, directory, () => {
    if (isCpuset) prepareCpusetParents(made, mountPoint, directory);
    else for (const ancestor of ancestors(mountPoint, directory)) made.tryMake(ancestor);
  });
  if (isCpuset) inheritCpuset(join(directory, '..'), directory);
  return { controllers: [...controllers], directory, made: isNew };
}

/** Writes a device policy: devices.deny and devices.allow take one rule per write(2). */
function applyDevices(policy: readonly DeviceRule[], directory: string): void {
  const fds = new Map<string, number>();
  try {
    for (const rule of policy) {
      const file = join(directory, rule.allow ? 'devices.allow' : 'devices.deny');
      const line = v1DeviceLine(rule);
      try {
        const fd = fds.get(file) ?? openForWriting(file);
        fds.set(file, fd);
        writeSync(fd, line);
      } catch (error) {
        throw cgroupError('linux.resources.devices', `write ${JSON.stringify(line)} to ${file}`, error);
      }
    }
  } finally {
    for (const fd of fds.values()) closeSync(fd);
  }
}

/**
 * Makes a cgroup in every v1 hierarchy.
 *
 * @param path below each mount point; starts with `/`
 * @throws TurfError TURF_ERR_CGROUP; the caller undoes `made`
 */
export function makeV1(
  made: MadeDirectories,
  hierarchies: readonly V1Hierarchy[],
  path: string,
): CgroupDirectory[] {
  return hierarchies.map((hierarchy) => makeHierarchy(made, hierarchy, path));
}

/**
 * Applies limits and the device policy to directories that makeV1 made.
 *
 * @param limits as v1Limits gives them; those of controllers on the unified hierarchy are the caller's
 * @param devices absent: the default policy; `none`: no policy
 * @throws TurfError TURF_ERR_CGROUP, TURF_ERR_CONFIG for a bad device rule
 */
export function applyV1(
  directories: readonly CgroupDirectory[],
  limits: readonly Limit[],
  devices: OciResources['devices'] | 'none',
): void {
  const of = (controller: string): CgroupDirectory | undefined =>
    directories.find((directory) => directory.controllers.includes(controller));
  const memory = of('memory');
  const taken = memory !== undefined && !memory.made;
  const read = (controller: string, file: string): string | undefined => {
    const directory = of(controller)?.directory;
    return directory === undefined ? undefined : tryReadControl(join(directory, file));
  };
  applyLimits(taken ? orderV1Limits(limits, read) : limits, (controller) => of(controller)?.directory);
  if (devices === 'none') return;
  const policy = devicePolicy(devices);
  const deviceCgroup = of('devices');
  if (deviceCgroup) applyDevices(policy, deviceCgroup.directory);
  else
    throw cgroupError('linux.resources.devices', 'the devices controller is not available on this machine');
}
