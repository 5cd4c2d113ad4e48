import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import type { AttachDeviceFilter } from '../../native-shim/device-filter.js';
import type { OciResources } from '../../oci-spec/config.js';
import { applyLimits, missingController } from './apply-limits.js';
import { cgroupError, readControl, tryReadControl, writeControl } from './control-file.js';
import { deviceProgram } from './device-program.js';
import { devicePolicy } from './device-rules.js';
import { ancestors, type MadeDirectories, makeLeaf } from './directory.js';
import type { CgroupDirectory } from './facts.js';
import type { Limit } from './limit.js';

/** Switched on for every container where the machine can, so that its use can be read. */
const FOR_STATISTICS = ['cpu', 'memory', 'pids'] as const;

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ''));

function enable(parent: string, wanted: readonly string[], required: ReadonlyMap<string, Limit>): void {
  const file = join(parent, 'cgroup.subtree_control');
  const enabled = words(readControl(file));
  for (const controller of wanted) {
    if (enabled.has(controller)) continue;
    const limit = required.get(controller);
    try {
      writeControl(limit?.field ?? 'cgroup', file, `+${controller}`);
    } catch (error) {
      /* EBUSY: processes live in `parent` itself; only a limit that was asked for makes that an error */
      if (limit) throw error;
    }
  }
}

/** Switches controllers on in the root and in every cgroup between it and the container's. */
function enableAlong(
  root: string,
  parents: readonly string[],
  asked: ReadonlySet<string>,
  required: ReadonlyMap<string, Limit>,
): void {
  if (asked.size === 0) return;
  const available = words(tryReadControl(join(root, 'cgroup.controllers')) ?? '');
  for (const [controller, limit] of required) {
    if (!available.has(controller)) missingController(limit);
  }
  const wanted = [...asked].filter((controller) => available.has(controller));
  for (const parent of [root, ...parents]) enable(parent, wanted, required);
}

/**
 * Switches the controllers on that limits of an existing cgroup need.
 *
 * @param root mount point of cgroup2
 * @throws TurfError TURF_ERR_CGROUP
 */
export function enableControllers(root: string, directory: string, limits: readonly Limit[]): void {
  const asked = new Set(limits.map(({ controller }) => controller));
  const on = words(tryReadControl(join(directory, 'cgroup.controllers')) ?? '');
  const missing = limits.filter(({ controller, optional }) => optional !== true && !on.has(controller));
  if (missing.length === 0) return;
  enableAlong(
    root,
    ancestors(root, directory),
    asked,
    new Map(missing.map((limit) => [limit.controller, limit])),
  );
}

/**
 * Makes a cgroup in the unified hierarchy and switches the controllers on, in every ancestor, that its limits need.
 *
 * @param root mount point of cgroup2
 * @param path below it; starts with `/`
 * @param statistics also switch on cpu, memory and pids
 * @throws TurfError TURF_ERR_CGROUP; the caller undoes `made`
 */
export function makeV2(
  made: MadeDirectories,
  root: string,
  path: string,
  limits: readonly Limit[],
  statistics: boolean,
): CgroupDirectory {
  const directory = join(root, path);
  const required = new Map(
    limits.filter(({ optional }) => optional !== true).map((limit) => [limit.controller, limit]),
  );
  const optional = limits.map(({ controller }) => controller);
  const asked = new Set([...required.keys(), ...optional, ...(statistics ? FOR_STATISTICS : [])]);
  const parents = ancestors(root, directory);
  const isNew = makeLeaf(made, directory, () => {
    for (const parent of parents) made.tryMake(parent);
  });
  enableAlong(root, parents, asked, required);
  return { controllers: [], directory, made: isNew };
}

/**
 * memory.max below what is in use makes the kernel kill: `checkBeforeUpdate` asks for an error instead.
 *
 * @param usage file with the bytes in use
 * @throws TurfError TURF_ERR_CGROUP
 */
export function checkUsage(memory: OciResources['memory'], usage: string): void {
  if (memory?.checkBeforeUpdate !== true) return;
  for (const name of ['limit', 'swap'] as const) {
    const asked = BigInt(memory[name] ?? 0);
    if (asked <= 0n) continue;
    const used = readControl(usage);
    if (BigInt(used) > asked)
      throw cgroupError(`linux.resources.memory.${name}`, `${asked} is below the ${used} bytes in use`);
  }
}

/** Applies limits to a directory that makeV2 made. @throws TurfError TURF_ERR_CGROUP */
export function applyV2(directory: string, limits: readonly Limit[], memory: OciResources['memory']): void {
  checkUsage(memory, join(directory, 'memory.current'));
  applyLimits(limits, () => directory);
}

/**
 * Attaches the device policy to a cgroup v2 directory.
 *
 * @throws TurfError TURF_ERR_CGROUP, TURF_ERR_CONFIG for a bad rule
 */
export function applyV2Devices(
  directory: string,
  devices: OciResources['devices'],
  attach: AttachDeviceFilter,
): void {
  const program = deviceProgram(devicePolicy(devices));
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    attach(fd, program);
  } catch (error) {
    throw cgroupError('linux.resources.devices', `attach the device program to ${directory}`, error);
  } finally {
    closeSync(fd);
  }
}
