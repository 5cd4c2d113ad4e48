import type { JsonObject } from '../../oci-spec/json.js';
import {
  count,
  hugetlbUsage,
  keyed,
  memoryEntry,
  numbers,
  omitEmpty,
  type Reader,
  reader,
  sorted,
} from './usage-files.js';

/** What runc prints for `max`. */
const UNLIMITED = 18_446_744_073_709_551_615n;

const micro = (value: bigint | undefined): bigint => (value ?? 0n) * 1000n;
const limit = (text: string | undefined): bigint => (text === 'max' ? UNLIMITED : count(text));

/** Lines of `some avg10=0.12 avg60=0.00 avg300=0.00 total=345`. */
function pressure(text: string | undefined): { psi?: JsonObject } {
  const psi: JsonObject = {};
  for (const line of text?.split('\n') ?? []) {
    const [, kind, avg10, avg60, avg300, total] =
      /^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$/.exec(line) ?? [];
    if (kind === undefined) continue;
    psi[kind] = { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300), total: count(total) };
  }
  return Object.keys(psi).length === 0 ? {} : { psi };
}

function cpu(read: Reader): JsonObject {
  const stat = keyed(read('cpu.stat'));
  return {
    usage: {
      ...omitEmpty({ total: micro(stat.get('usage_usec')) }),
      kernel: micro(stat.get('system_usec')),
      user: micro(stat.get('user_usec')),
    },
    throttling: omitEmpty({
      periods: stat.get('nr_periods'),
      throttledPeriods: stat.get('nr_throttled'),
      throttledTime: micro(stat.get('throttled_usec')),
    }),
    ...pressure(read('cpu.pressure')),
  };
}

function cpuset(read: Reader): JsonObject {
  return {
    ...omitEmpty({ cpus: numbers(read('cpuset.cpus.effective')) }),
    cpu_exclusive: 0,
    ...omitEmpty({ mems: numbers(read('cpuset.mems.effective')) }),
    mem_hardwall: 0,
    mem_exclusive: 0,
    memory_migrate: 0,
    memory_spread_page: 0,
    memory_spread_slab: 0,
    memory_pressure: 0,
    sched_load_balance: 0,
    sched_relax_domain_level: 0,
  };
}

/** Swap as v1 counts it: memory and swap together. */
function memory(read: Reader): JsonObject {
  const raw = keyed(read('memory.stat'));
  const used = count(read('memory.current'));
  const most = limit(read('memory.max'));
  const swapMost = limit(read('memory.swap.max'));
  const both = swapMost === UNLIMITED || most === UNLIMITED ? UNLIMITED : swapMost + most;
  return {
    ...omitEmpty({ cache: raw.get('file') }),
    usage: memoryEntry(most, used, count(read('memory.peak'))),
    swap: memoryEntry(both, used + count(read('memory.swap.current'))),
    kernel: memoryEntry(0n),
    kernelTCP: memoryEntry(0n),
    ...(raw.size === 0 ? {} : { raw: sorted(raw) }),
    ...pressure(read('memory.pressure')),
  };
}

const OPERATIONS = [
  ['Read', 'rbytes', 'rios'],
  ['Write', 'wbytes', 'wios'],
  ['Discard', 'dbytes', 'dios'],
] as const;

/** Lines of `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`. */
function blkio(read: Reader): JsonObject {
  const bytes: JsonObject[] = [];
  const operations: JsonObject[] = [];
  for (const line of read('io.stat')?.split('\n') ?? []) {
    const [device = '', ...pairs] = line.split(' ');
    const [, major, minor] = /^(\d+):(\d+)$/.exec(device) ?? [];
    if (major === undefined) continue;
    const values = new Map(pairs.map((pair) => [pair.split('=')[0] ?? '', count(pair.split('=')[1])]));
    for (const [op, byteKey, countKey] of OPERATIONS) {
      const entry = (value: bigint | undefined): JsonObject =>
        omitEmpty({ major: count(major), minor: count(minor), op, value });
      if (values.has(byteKey)) bytes.push(entry(values.get(byteKey)));
      if (values.has(countKey)) operations.push(entry(values.get(countKey)));
    }
  }
  return {
    ...omitEmpty({ ioServiceBytesRecursive: bytes, ioServicedRecursive: operations }),
    ...pressure(read('io.pressure')),
  };
}

/** @param directory of the v2 cgroup */
export function v2Usage(directory: string): JsonObject {
  const read = reader(directory);
  return {
    cpu: cpu(read),
    cpuset: cpuset(read),
    memory: memory(read),
    pids: omitEmpty({ current: count(read('pids.current')), limit: count(read('pids.max')) }),
    blkio: blkio(read),
    hugetlb: hugetlbUsage(read),
  };
}
