import type { OciResources } from '../../oci-spec/config.js';
import { sharesToWeight, swapMax } from './v2-limits.js';

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

/** systemd re-applies its own idea of a limit on daemon-reload: every limit that it knows is told to it. */
function limits({ resources, isV2 }: UnitDescription): readonly UnitProperty[] {
  const { memory, cpu, pids } = resources;
  const list: UnitProperty[] = [];
  if (asked(memory?.limit)) list.push(amount(isV2 ? 'MemoryMax' : 'MemoryLimit', memory.limit));
  if (isV2 && asked(memory?.reservation)) list.push(amount('MemoryLow', memory.reservation));
  const swap = isV2 ? swapMax(memory?.swap, memory?.limit) : undefined;
  if (swap !== undefined) list.push(amount('MemorySwapMax', swap === 'max' ? UNLIMITED : swap));
  if (asked(cpu?.shares)) {
    list.push(isV2 ? amount('CPUWeight', sharesToWeight(cpu.shares)) : amount('CPUShares', cpu.shares));
  }
  if (asked(cpu?.quota) && BigInt(cpu.quota) > 0n) {
    const perSecond = (BigInt(cpu.quota) * 1_000_000n) / BigInt(asked(cpu.period) ? cpu.period : 100_000);
    /* systemd keeps whole 10 ms: rounded up, so that turf's exact write stays the tighter one */
    list.push(amount('CPUQuotaPerSecUSec', ((perSecond + 9999n) / 10_000n) * 10_000n));
  }
  if (pids?.limit !== undefined)
    list.push(amount('TasksMax', BigInt(pids.limit) > 0n ? pids.limit : UNLIMITED));
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
    ...limits(unit),
  ];
}
