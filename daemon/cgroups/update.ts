import { join } from 'node:path';
import type { OciResources } from '../../oci-spec/config.js';
import { cgroupError, tryReadControl } from './control-file.js';
import type { CgroupFacts } from './facts.js';
import type { Limit } from './limit.js';
import { LimitChanges } from './limit-changes.js';
import { splitLimits } from './split-limits.js';
import { orderV1Limits, v1Conflict } from './v1-order.js';
import { v2Limits } from './v2-limits.js';
import { checkUsage, enableControllers } from './v2.js';

/** Changes that have been checked, and nothing of them written. */
export interface PreparedUpdate {
  readonly changes: LimitChanges;
  /** All limits, as they go to v2 files; for systemd. */
  readonly limits: readonly Limit[];
}

const given = (value: number | bigint | undefined): boolean => value !== undefined && BigInt(value) !== 0n;

/**
 * Adds the other half of a pair that cgroup v2 keeps in one file, or as a difference, as the cgroup has it now.
 *
 * @param directory of the v2 cgroup
 */
export function completeFromV2(resources: OciResources, directory: string): OciResources {
  const { cpu, memory } = resources;
  const read = (file: string): string => tryReadControl(join(directory, file)) ?? '';
  let complete = resources;
  if (cpu !== undefined && given(cpu.quota) !== given(cpu.period)) {
    const [quota = 'max', period = '100000'] = read('cpu.max').split(' ');
    const own = given(cpu.quota)
      ? { period: BigInt(period) }
      : { quota: quota === 'max' ? -1 : BigInt(quota) };
    complete = { ...complete, cpu: { ...cpu, ...own } };
  }
  const limit = read('memory.max');
  if (memory !== undefined && given(memory.swap) && !given(memory.limit) && /^\d+$/.test(limit))
    complete = { ...complete, memory: { ...memory, limit: BigInt(limit) } };
  return complete;
}

function prepareV2(directory: string, root: string, resources: OciResources): PreparedUpdate {
  const limits = v2Limits(completeFromV2(resources, directory));
  enableControllers(root, directory, limits);
  checkUsage(resources.memory, join(directory, 'memory.current'));
  return { changes: new LimitChanges(burstOrder(limits, directory), () => directory), limits };
}

/** cpu.max.burst must not exceed the quota: a smaller one goes before cpu.max. */
function burstOrder(limits: readonly Limit[], directory: string): readonly Limit[] {
  const burst = limits.find(({ files }) => files[0] === 'cpu.max.burst');
  const now = tryReadControl(join(directory, 'cpu.max.burst'));
  if (burst === undefined || now === undefined || BigInt(burst.value) >= BigInt(now)) return limits;
  return [burst, ...limits.filter((limit) => limit !== burst)];
}

function prepareV1(facts: CgroupFacts, resources: OciResources): PreparedUpdate {
  const { hierarchies, unified } = facts;
  const of = (controller: string): string | undefined =>
    hierarchies.find(({ controllers }) => controllers.includes(controller))?.directory;
  const read = (controller: string, file: string): string | undefined => {
    const directory = of(controller);
    return directory === undefined ? undefined : tryReadControl(join(directory, file));
  };
  const split = splitLimits(resources, (name) => of(name) !== undefined, unified !== undefined);
  const conflict = v1Conflict(split.v1, read);
  if (conflict !== undefined) throw cgroupError(conflict.field, conflict.why);
  const memory = of('memory');
  if (memory !== undefined) checkUsage(resources.memory, join(memory, 'memory.usage_in_bytes'));
  if (unified !== undefined && split.unified.length > 0)
    enableControllers(mountPoint(facts, unified.directory), unified.directory, split.unified);
  const ordered = orderV1Limits(split.v1, read);
  const limits = [...ordered, ...split.unified];
  const inUnified = new Set(split.unified.map(({ controller }) => controller));
  return {
    changes: new LimitChanges(limits, (name) => (inUnified.has(name) ? unified?.directory : of(name))),
    limits,
  };
}

/** The directory of a cgroup is its path below the mount point of the hierarchy. */
function mountPoint({ path }: CgroupFacts, directory: string): string {
  return directory.endsWith(path) ? directory.slice(0, -path.length) : directory;
}

/**
 * Checks changes of a container's limits against what its cgroup has: pairs that contradict each other, files that do not exist,
 * usage where `checkBeforeUpdate` asks for it. Writes nothing but controllers that have to be switched on.
 *
 * @param resources what is to change; `devices` is not looked at
 * @throws TurfError TURF_ERR_CGROUP naming the field, TURF_ERR_CONFIG for values that cannot be
 */
export function prepareUpdate(facts: CgroupFacts, resources: OciResources): PreparedUpdate {
  const { mode, unified } = facts;
  if (mode !== 'v2' || unified === undefined) return prepareV1(facts, resources);
  return prepareV2(unified.directory, mountPoint(facts, unified.directory), resources);
}
