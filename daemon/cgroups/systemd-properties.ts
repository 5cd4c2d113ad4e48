import type { OciResources } from '../../oci-spec/config.js';
import { devicePolicy } from './device-rules.js';
import { type Limit, pidsLimit } from './limit.js';
import { deviceProperties, type DeviceGroups } from './systemd-devices.js';
import { v2Limits } from './v2-limits.js';

/** A unit property as busctl(1) takes it: name, D-Bus signature, value words. */
export interface UnitProperty {
  readonly name: string;
  readonly signature: string;
  readonly value: readonly string[];
}

export interface UnitDescription {
  readonly pid: number;
  readonly slice: string;
  readonly unit: string;
  readonly description: string;
  readonly resources: OciResources;
  readonly isV2: boolean;
  /** Names of devices, which units on cgroup v1 need. */
  readonly deviceGroups: DeviceGroups;
}

const UNLIMITED = '18446744073709551615'; // UINT64_MAX is "infinity" in systemd's properties

const bool = (name: string, value: boolean): UnitProperty => ({
  name,
  signature: 'b',
  value: [String(value)],
});
const string = (name: string, value: string): UnitProperty => ({ name, signature: 's', value: [value] });
const amount = (name: string, value: number | bigint | string): UnitProperty => ({
  name,
  signature: 't',
  value: [typeof value !== 'string' && BigInt(value) < 0n ? UNLIMITED : String(value)],
});

const asked = (value: number | bigint | undefined): value is number | bigint =>
  value !== undefined && BigInt(value) !== 0n;

const INFINITY = /^(max|-1)$/;

/** Other forms that only the kernel understands are not told to systemd. */
function amountOrMax(name: string, value: string): readonly UnitProperty[] {
  if (INFINITY.test(value)) return [amount(name, UNLIMITED)];
  return /^[0-9]+$/.test(value) ? [amount(name, value)] : [];
}

const SUFFIXES = 'KMGTPE';

/** Bytes, with the suffixes that the kernel takes (memparse(): `1G` in linux.resources.unified). */
function bytes(name: string, value: string): readonly UnitProperty[] {
  const [, number, suffix = ''] = /^(0|[1-9][0-9]*)([KMGTPE]?)$/i.exec(value) ?? [];
  if (number === undefined) return amountOrMax(name, value);
  const shift = suffix === '' ? 0 : 10 * (SUFFIXES.indexOf(suffix.toUpperCase()) + 1);
  return [amount(name, BigInt(number) << BigInt(shift))];
}

/** cpu.max, `QUOTA PERIOD` in microseconds. */
function cpuQuota(value: string): readonly UnitProperty[] {
  const [quota = 'max', period = '100000'] = value.split(' ');
  if (!/^(max|[0-9]+)$/.test(quota) || !/^[1-9][0-9]*$/.test(period)) return [];
  if (quota === 'max') return [amount('CPUQuotaPerSecUSec', UNLIMITED)];
  const perSecond = (BigInt(quota) * 1_000_000n) / BigInt(period);
  /* systemd keeps whole 10 ms: rounded up, so that turf's exact write stays the tighter one */
  return [
    amount('CPUQuotaPerSecUSec', ((perSecond + 9999n) / 10_000n) * 10_000n),
    amount('CPUQuotaPeriodUSec', period),
  ];
}

/** More CPUs than any kernel is built for (NR_CPUS): a list beyond is left to the kernel to refuse. */
const MASK_BITS = 8192;

/** A list of numbers (`0-3,8`) as a bit mask, least significant byte first. */
function mask(name: string, list: string): readonly UnitProperty[] {
  const bytes: number[] = [];
  for (const range of list.split(',')) {
    const [first = NaN, last = first] = range.split('-').map(Number);
    if (!(first <= last && last < MASK_BITS)) return [];
    for (let bit = first; bit <= last; bit++) {
      const at = bit >> 3;
      while (bytes.length <= at) bytes.push(0);
      bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
    }
  }
  return [{ name, signature: 'ay', value: [String(bytes.length), ...bytes.map(String)] }];
}

/** Control files that a unit property stands for (systemd.resource-control(5)). */
const PROPERTY_OF: Readonly<Record<string, (value: string) => readonly UnitProperty[]>> = {
  'memory.max': (value) => bytes('MemoryMax', value),
  'memory.high': (value) => bytes('MemoryHigh', value),
  'memory.low': (value) => bytes('MemoryLow', value),
  'memory.min': (value) => bytes('MemoryMin', value),
  'memory.swap.max': (value) => bytes('MemorySwapMax', value),
  'cpu.weight': (value) => amountOrMax('CPUWeight', value),
  /* 0 is "idle" to systemd (252); what was idle has the default weight again, unless it is given one */
  'cpu.idle': (value) => [amount('CPUWeight', value === '1' ? 0 : 100)],
  'cpu.max': cpuQuota,
  'cpuset.cpus': (value) => mask('AllowedCPUs', value),
  'cpuset.mems': (value) => mask('AllowedMemoryNodes', value),
  'io.weight': (value) => amountOrMax('IOWeight', value),
  'pids.max': (value) => amountOrMax('TasksMax', value),
};

/** What limits of cgroup v2 are to systemd, the last of each name. */
export function limitProperties(limits: readonly Limit[]): readonly UnitProperty[] {
  const properties = new Map<string, UnitProperty>();
  for (const { files, value, fallbackValue } of limits) {
    for (const [index, file] of files.entries()) {
      const own = index === 0 ? value : (fallbackValue ?? value);
      for (const property of PROPERTY_OF[file]?.(own) ?? []) properties.set(property.name, property);
    }
  }
  return [...properties.values()];
}

/** The same for v1, of which systemd knows fewer. */
export function v1Properties({ memory, cpu, pids }: OciResources): readonly UnitProperty[] {
  const list: UnitProperty[] = [];
  if (asked(memory?.limit)) list.push(amount('MemoryLimit', memory.limit));
  if (asked(cpu?.shares)) list.push(amount('CPUShares', cpu.shares));
  if (asked(cpu?.quota) && BigInt(cpu.quota) > 0n) {
    list.push(...cpuQuota(`${cpu.quota} ${asked(cpu.period) ? cpu.period : 100_000}`));
  }
  if (pids?.limit !== undefined) list.push(...amountOrMax('TasksMax', pidsLimit(pids.limit)));
  return list;
}

/**
 * Properties of a transient unit (org.freedesktop.systemd1(5)): a scope around a living process that systemd leaves to turf
 * (Delegate), or a slice.
 */
export function systemdProperties(unit: UnitDescription): readonly UnitProperty[] {
  const isSlice = unit.unit.endsWith('.slice');
  const accounting = [
    'MemoryAccounting',
    'CPUAccounting',
    'TasksAccounting',
    unit.isV2 ? 'IOAccounting' : 'BlockIOAccounting',
  ];
  return [
    string('Description', unit.description),
    isSlice ? { name: 'Wants', signature: 'as', value: ['1', unit.slice] } : string('Slice', unit.slice),
    bool('DefaultDependencies', false),
    ...(isSlice
      ? []
      : [bool('Delegate', true), { name: 'PIDs', signature: 'au', value: ['1', String(unit.pid)] }]),
    ...accounting.map((name) => bool(name, true)),
    /* systemd re-applies its own idea of a limit on daemon-reload: every limit that it knows is told to it */
    ...(unit.isV2
      ? limitProperties(v2Limits(unit.resources))
      : [
          ...v1Properties(unit.resources),
          ...deviceProperties(devicePolicy(unit.resources.devices), unit.deviceGroups),
        ]),
  ];
}
