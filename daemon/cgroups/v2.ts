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
  if (asked.size > 0) {
    const available = words(tryReadControl(join(root, 'cgroup.controllers')) ?? '');
    for (const [controller, limit] of required) {
      if (!available.has(controller)) missingController(limit);
    }
    const wanted = [...asked].filter((controller) => available.has(controller));
    for (const parent of [root, ...parents]) enable(parent, wanted, required);
  }
  return { controllers: [], directory, made: isNew };
}

/** memory.max below what is in use makes the kernel kill: `checkBeforeUpdate` asks for an error instead. */
function checkUsage(memory: OciResources['memory'], directory: string): void {
  if (memory?.checkBeforeUpdate !== true || memory.limit === undefined || BigInt(memory.limit) <= 0n) return;
  const usage = readControl(join(directory, 'memory.current'));
  if (BigInt(usage) > BigInt(memory.limit)) {
    throw cgroupError('linux.resources.memory.limit', `${memory.limit} is below the ${usage} bytes in use`);
  }
}

/** Applies limits to a directory that makeV2 made. @throws TurfError TURF_ERR_CGROUP */
export function applyV2(directory: string, limits: readonly Limit[], memory: OciResources['memory']): void {
  checkUsage(memory, directory);
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
