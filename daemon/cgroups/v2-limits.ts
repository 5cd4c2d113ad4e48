import type { OciBlockIo, OciCpu, OciMemory, OciResources } from '../../oci-spec/config.js';
import { type Amount, hugepageSize, type Limit, LimitList, pidsLimit, refuseField } from './limit.js';
import { addRdma } from './v1-limits.js';

const asked = (value: Amount | undefined): value is Amount => value !== undefined && BigInt(value) !== 0n;
const orMax = (value: Amount): string => (BigInt(value) < 0n ? 'max' : String(value));

/**
 * `cpu.shares` (2..262144, default 1024) as `cpu.weight` (1..10000, default 100): the curve through minimum, default
 * and maximum that newer releases of runc use.
 */
export function sharesToWeight(shares: Amount): number {
  const value = Number(shares);
  if (value <= 2) return 1;
  if (value >= 262_144) return 10_000;
  const l = Math.log2(value);
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
}

/** blkio weight (10..1000) as `io.weight` (1..10000), linearly. */
export function blkioToIoWeight(weight: number): number {
  return 1 + Math.floor(((Math.max(weight, 10) - 10) * 9999) / 990);
}

/**
 * Memory plus swap, as the specification counts, as swap alone, as cgroup v2 counts.
 *
 * @returns content of memory.swap.max, or undefined where nothing is asked for
 * @throws TurfError TURF_ERR_CGROUP where the pair makes no sense
 */
export function swapMax(swap: Amount | undefined, limit: Amount | undefined): string | undefined {
  if (!asked(swap)) return asked(limit) && BigInt(limit) < 0n ? 'max' : undefined;
  if (BigInt(swap) < 0n) return 'max';
  if (!asked(limit) || BigInt(limit) < 0n) {
    refuseField(
      'memory.swap',
      'counts memory and swap together, so that cgroup v2 needs memory.limit as well',
    );
  }
  if (BigInt(swap) < BigInt(limit)) {
    refuseField(
      'memory.swap',
      `${swap} is less than memory.limit ${limit}, but it counts memory and swap together`,
    );
  }
  return String(BigInt(swap) - BigInt(limit));
}

function memory(list: LimitList, m: OciMemory): void {
  const absent = 'cgroup v2 has no such setting';
  if (m.swappiness !== undefined) refuseField('memory.swappiness', absent);
  if (m.disableOOMKiller === true) refuseField('memory.disableOOMKiller', absent);
  if (asked(m.kernelTCP)) refuseField('memory.kernelTCP', absent);
  if (m.useHierarchy === false)
    refuseField('memory.useHierarchy', 'cgroup v2 always accounts hierarchically');
  const swap = swapMax(m.swap, m.limit);
  /* without swap in the kernel there is nothing to forbid */
  list.add('memory.swap', 'memory', 'memory.swap.max', swap, { optional: swap === '0' || swap === 'max' });
  if (asked(m.limit)) list.add('memory.limit', 'memory', 'memory.max', orMax(m.limit));
  if (asked(m.reservation)) list.add('memory.reservation', 'memory', 'memory.low', orMax(m.reservation));
}

function cpu(list: LimitList, c: OciCpu): void {
  const absent = 'cgroup v2 has no realtime budget';
  if (asked(c.realtimeRuntime)) refuseField('cpu.realtimeRuntime', absent);
  if (asked(c.realtimePeriod)) refuseField('cpu.realtimePeriod', absent);
  const idle = (): void => list.add('cpu.idle', 'cpu', 'cpu.idle', c.idle, { optional: c.idle === 0 });
  /* idle replaces the weight: the kernel refuses to set both */
  if (c.idle === 0) idle();
  if (asked(c.shares) && c.idle !== 1) list.add('cpu.shares', 'cpu', 'cpu.weight', sharesToWeight(c.shares));
  if (asked(c.quota) || asked(c.period)) {
    const quota = asked(c.quota) ? orMax(c.quota) : 'max';
    const field = asked(c.quota) ? 'cpu.quota' : 'cpu.period';
    list.add(field, 'cpu', 'cpu.max', `${quota} ${asked(c.period) ? c.period : 100_000}`);
  }
  list.add('cpu.burst', 'cpu', 'cpu.max.burst', c.burst, { optional: Number(c.burst) === 0 });
  if (c.idle === 1) idle();
  if (c.cpus) list.add('cpu.cpus', 'cpuset', 'cpuset.cpus', c.cpus);
  if (c.mems) list.add('cpu.mems', 'cpuset', 'cpuset.mems', c.mems);
}

const THROTTLES = [
  ['throttleReadBpsDevice', 'rbps'],
  ['throttleWriteBpsDevice', 'wbps'],
  ['throttleReadIOPSDevice', 'riops'],
  ['throttleWriteIOPSDevice', 'wiops'],
] as const;

function blockIo(list: LimitList, b: OciBlockIo): void {
  const files = ['io.bfq.weight', 'io.weight'] as const;
  const absent = 'cgroup v2 has no leaf weight';
  const add = (field: string, prefix: string, weight: number | undefined): void => {
    if (weight === undefined || weight === 0) return;
    const fallbackValue = `${prefix}${blkioToIoWeight(weight)}`;
    list.add(`blockIO.${field}`, 'io', files, `${prefix}${weight}`, { fallbackValue });
  };
  if (asked(b.leafWeight)) refuseField('blockIO.leafWeight', absent);
  add('weight', '', b.weight);
  b.weightDevice?.forEach(({ major, minor, weight, leafWeight }, i) => {
    if (asked(leafWeight)) refuseField(`blockIO.weightDevice[${i}].leafWeight`, absent);
    add(`weightDevice[${i}]`, `${major}:${minor} `, weight);
  });
  /* 0 takes a limit away on v1, and is an error in io.max */
  for (const [field, key] of THROTTLES) {
    b[field]?.forEach(({ major, minor, rate }, i) =>
      list.add(
        `blockIO.${field}[${i}]`,
        'io',
        'io.max',
        `${major}:${minor} ${key}=${asked(rate) ? rate : 'max'}`,
      ),
    );
  }
}

/** Files that decide who belongs to the cgroup, not what it may use. */
const NOT_A_LIMIT = /^cgroup\./;

/**
 * What `linux.resources` (without devices) asks for on v2, in the order in which it must be written.
 *
 * @throws TurfError TURF_ERR_CGROUP for what v2 cannot do, TURF_ERR_CONFIG for a bad page size
 */
export function v2Limits(resources: OciResources): readonly Limit[] {
  const list = new LimitList();
  const { memory: m, cpu: c, pids, blockIO, hugepageLimits, network, rdma, unified } = resources;
  if (m) memory(list, m);
  if (c) cpu(list, c);
  if (pids?.limit !== undefined) list.add('pids.limit', 'pids', 'pids.max', pidsLimit(pids.limit));
  if (blockIO) blockIo(list, blockIO);
  hugepageLimits?.forEach(({ pageSize, limit }, i) => {
    const size = hugepageSize(pageSize, i);
    const field = `hugepageLimits[${i}]`;
    list.add(field, 'hugetlb', `hugetlb.${size}.max`, limit);
    list.add(field, 'hugetlb', `hugetlb.${size}.rsvd.max`, limit, { optional: true });
  });
  if (asked(network?.classID)) refuseField('network.classID', 'cgroup v2 has no net_cls controller');
  if (network?.priorities?.length) refuseField('network.priorities', 'cgroup v2 has no net_prio controller');
  addRdma(list, rdma);
  for (const [file, value] of Object.entries(unified ?? {})) {
    const controller = /^([a-z_]+)\.[A-Za-z0-9_.]+$/.exec(file)?.[1];
    if (controller === undefined || NOT_A_LIMIT.test(file)) {
      refuseField(`unified.${file}`, 'is not the name of a controller file such as memory.high');
    }
    for (const line of value.split('\n')) {
      if (line !== '') list.add(`unified.${file}`, controller, file, line);
    }
  }
  return list.limits;
}
