import type { Limit } from './limit.js';

const MEMORY = 'memory.limit_in_bytes';
const MEMORY_AND_SWAP = 'memory.memsw.limit_in_bytes';
const PERIOD = 'cpu.cfs_period_us';
const QUOTA = 'cpu.cfs_quota_us';
const BURST = 'cpu.cfs_burst_us';

/** Reads a control file of the cgroup; undefined where there is none. */
export type ReadLimit = (controller: string, file: string) => string | undefined;

const find = (limits: readonly Limit[], file: string): Limit | undefined =>
  limits.find(({ files }) => files[0] === file);

/** @returns `limits` with `first` moved to just before `second` */
function before(limits: readonly Limit[], first: Limit, second: Limit): readonly Limit[] {
  const rest = limits.filter((limit) => limit !== first);
  rest.splice(rest.indexOf(second), 0, first);
  return rest;
}

/** The kernel refuses a moment in which memory.limit exceeds memory+swap: raising writes memory+swap first. */
function orderMemory(limits: readonly Limit[], read: ReadLimit): readonly Limit[] {
  const memory = find(limits, MEMORY);
  const both = find(limits, MEMORY_AND_SWAP);
  if (memory === undefined || both === undefined) return limits;
  const now = read('memory', MEMORY_AND_SWAP);
  if (now === undefined) return limits;
  const raises = both.value === '-1' || BigInt(both.value) > BigInt(now);
  return raises ? before(limits, both, memory) : limits;
}

/**
 * A child's quota/period must not exceed its parent's, in no moment between two writes: a longer period is written before the
 * quota, a shorter one behind it. The burst must not exceed the quota: a smaller one goes first, a greater one last.
 */
function orderCpu(limits: readonly Limit[], read: ReadLimit): readonly Limit[] {
  const period = find(limits, PERIOD);
  const quota = find(limits, QUOTA);
  const burst = find(limits, BURST);
  let ordered = limits;
  const shorter = period !== undefined && BigInt(period.value) < BigInt(read('cpu', PERIOD) ?? 0);
  if (period !== undefined && quota !== undefined && shorter) ordered = before(ordered, quota, period);
  const first = ordered.find((limit) => limit === period || limit === quota);
  const smaller = burst !== undefined && BigInt(burst.value) < BigInt(read('cpu', BURST) ?? 0);
  return burst !== undefined && first !== undefined && smaller ? before(ordered, burst, first) : ordered;
}

/**
 * The order in which limits can be written to a cgroup that has some already.
 *
 * @param limits as v1Limits gives them
 */
export function orderV1Limits(limits: readonly Limit[], read: ReadLimit): readonly Limit[] {
  return orderCpu(orderMemory(limits, read), read);
}

/**
 * What contradicts a limit that is set already and is not to change.
 *
 * @returns the field at fault and why; undefined where nothing does
 */
export function v1Conflict(
  limits: readonly Limit[],
  read: ReadLimit,
): { readonly field: string; readonly why: string } | undefined {
  const memory = find(limits, MEMORY);
  const both = find(limits, MEMORY_AND_SWAP);
  if (memory !== undefined && both === undefined) {
    const now = read('memory', MEMORY_AND_SWAP);
    if (now !== undefined && BigInt(memory.value) > BigInt(now)) {
      return {
        field: memory.field,
        why: `${memory.value} exceeds the limit of memory and swap together, ${now}: set memory.swap as well`,
      };
    }
  }
  if (memory === undefined && both !== undefined && both.value !== '-1') {
    const now = read('memory', MEMORY);
    if (now !== undefined && BigInt(both.value) < BigInt(now)) {
      return { field: both.field, why: `${both.value} is less than the memory limit, ${now}` };
    }
  }
  const quota = find(limits, QUOTA)?.value ?? read('cpu', QUOTA) ?? '-1';
  const burst = find(limits, BURST);
  if (burst !== undefined && BigInt(quota) > 0n && BigInt(burst.value) > BigInt(quota))
    return { field: burst.field, why: `${burst.value} exceeds the quota, ${quota}` };
  return undefined;
}
