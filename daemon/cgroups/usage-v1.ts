import type { JsonObject } from '../../oci-spec/json.js';
import { count, keyed, memoryEntry, numbers, omitEmpty, type Reader, reader, sorted } from './usage-files.js';

/** USER_HZ, in which cpuacct.stat counts, in nanoseconds. */
const TICK = 10_000_000n;

function cpu(cpuacct: Reader, cpuFiles: Reader): JsonObject {
  const ticks = keyed(cpuacct('cpuacct.stat'));
  const throttling = keyed(cpuFiles('cpu.stat'));
  /* `cpu user system`, a line for each CPU below a heading */
  const rows = (cpuacct('cpuacct.usage_all') ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.split(' '));
  return {
    usage: {
      ...omitEmpty({
        total: count(cpuacct('cpuacct.usage')),
        percpu: (cpuacct('cpuacct.usage_percpu') ?? '')
          .split(/\s+/)
          .filter((word) => word !== '')
          .map(count),
        percpu_kernel: rows.map(([, , system]) => count(system)),
        percpu_user: rows.map(([, user]) => count(user)),
      }),
      kernel: (ticks.get('system') ?? 0n) * TICK,
      user: (ticks.get('user') ?? 0n) * TICK,
    },
    throttling: omitEmpty({
      periods: throttling.get('nr_periods'),
      throttledPeriods: throttling.get('nr_throttled'),
      throttledTime: throttling.get('throttled_time'),
    }),
  };
}

function cpuset(read: Reader): JsonObject {
  const value = (name: string): bigint => count(read(`cpuset.${name}`));
  return {
    ...omitEmpty({ cpus: numbers(read('cpuset.cpus')) }),
    cpu_exclusive: value('cpu_exclusive'),
    ...omitEmpty({ mems: numbers(read('cpuset.mems')) }),
    mem_hardwall: value('mem_hardwall'),
    mem_exclusive: value('mem_exclusive'),
    memory_migrate: value('memory_migrate'),
    memory_spread_page: value('memory_spread_page'),
    memory_spread_slab: value('memory_spread_slab'),
    memory_pressure: value('memory_pressure'),
    sched_load_balance: value('sched_load_balance'),
    sched_relax_domain_level: value('sched_relax_domain_level'),
  };
}

function memory(read: Reader): JsonObject {
  const entry = (name: string): JsonObject => {
    const file = (what: string): bigint => count(read(`memory${name}.${what}`));
    return memoryEntry(
      file('limit_in_bytes'),
      file('usage_in_bytes'),
      file('max_usage_in_bytes'),
      file('failcnt'),
    );
  };
  const raw = keyed(read('memory.stat'));
  return {
    ...omitEmpty({ cache: raw.get('cache') }),
    usage: entry(''),
    swap: entry('.memsw'),
    kernel: entry('.kmem'),
    kernelTCP: entry('.kmem.tcp'),
    ...(raw.size === 0 ? {} : { raw: sorted(raw) }),
  };
}

/** Lines of `8:0 Read 42` or `8:0 42`; the lines of totals name no device. */
function blkioEntries(text: string | undefined): JsonObject[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const [, major, minor, op, value] = /^(\d+):(\d+)(?: ([A-Za-z]+))? (\d+)$/.exec(line) ?? [];
    if (value === undefined) return [];
    return [omitEmpty({ major: count(major), minor: count(minor), op, value: count(value) })];
  });
}

/** The counters of the I/O scheduler in use, or, of bytes and operations, those of throttling. */
function blkio(read: Reader): JsonObject {
  const first = (...files: readonly string[]): JsonObject[] => {
    for (const file of files) {
      const entries = blkioEntries(read(`blkio.${file}`));
      if (entries.length > 0) return entries;
    }
    return [];
  };
  const scheduler = (name: string): JsonObject[] => first(`bfq.${name}`, name);
  const counted = (name: string): JsonObject[] =>
    first(`bfq.${name}_recursive`, `${name}_recursive`, `throttle.${name}_recursive`, `throttle.${name}`);
  return omitEmpty({
    ioServiceBytesRecursive: counted('io_service_bytes'),
    ioServicedRecursive: counted('io_serviced'),
    ioQueueRecursive: scheduler('io_queued_recursive'),
    ioServiceTimeRecursive: scheduler('io_service_time_recursive'),
    ioWaitTimeRecursive: scheduler('io_wait_time_recursive'),
    ioMergedRecursive: scheduler('io_merged_recursive'),
    ioTimeRecursive: scheduler('time_recursive'),
    sectorsRecursive: scheduler('sectors_recursive'),
  });
}

function hugetlb(read: Reader): JsonObject {
  const usage: JsonObject = {};
  for (const name of read.names()) {
    const size = /^hugetlb\.([0-9]+[KMG]B)\.usage_in_bytes$/.exec(name)?.[1];
    if (size === undefined) continue;
    const rsvd = read(`hugetlb.${size}.rsvd.usage_in_bytes`) === undefined ? '' : '.rsvd';
    const file = (what: string): bigint => count(read(`hugetlb.${size}${rsvd}.${what}`));
    usage[size] = {
      ...omitEmpty({ usage: file('usage_in_bytes'), max: file('max_usage_in_bytes') }),
      failcnt: file('failcnt'),
    };
  }
  return usage;
}

/** @param directoryOf the cgroup's directory in the v1 hierarchy of a controller */
export function v1Usage(directoryOf: (controller: string) => string | undefined): JsonObject {
  const of = (controller: string): Reader => reader(directoryOf(controller));
  const pids = of('pids');
  return {
    cpu: cpu(of('cpuacct'), of('cpu')),
    cpuset: cpuset(of('cpuset')),
    memory: memory(of('memory')),
    pids: omitEmpty({ current: count(pids('pids.current')), limit: count(pids('pids.max')) }),
    blkio: blkio(of('blkio')),
    hugetlb: hugetlb(of('hugetlb')),
  };
}
