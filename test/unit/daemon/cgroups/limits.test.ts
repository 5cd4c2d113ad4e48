import t from 'tap';
import type { Limit } from '../../../../daemon/cgroups/limit.js';
import { v1Limits } from '../../../../daemon/cgroups/v1-limits.js';
import { blkioToIoWeight, sharesToWeight, swapMax, v2Limits } from '../../../../daemon/cgroups/v2-limits.js';
import type { OciResources } from '../../../../oci-spec/config.js';

const lines = (limits: readonly Limit[]): string[] =>
  limits.map(({ files, value }) => `${files[0]}=${value}`);

const everything: OciResources = {
  memory: {
    limit: 1000,
    reservation: 500,
    swap: 3000,
    kernel: 7,
    useHierarchy: true,
    checkBeforeUpdate: true,
  },
  cpu: { shares: 1024, quota: 5000, period: 10_000, burst: 100, cpus: '0-1', mems: '0', idle: 0 },
  pids: { limit: 5 },
  blockIO: {
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 10 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 2 }],
  },
  hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }],
  rdma: { mlx5_0: { hcaHandles: 3, hcaObjects: 4 } },
};

void t.test('v1: files, values and their order', (test) => {
  const resources = { ...everything, network: { classID: 9, priorities: [{ name: 'lo', priority: 3 }] } };
  test.same(lines(v1Limits(resources)), [
    'memory.limit_in_bytes=1000',
    'memory.memsw.limit_in_bytes=3000',
    'memory.soft_limit_in_bytes=500',
    'cpu.idle=0',
    'cpu.shares=1024',
    'cpu.cfs_period_us=10000',
    'cpu.cfs_quota_us=5000',
    'cpu.cfs_burst_us=100',
    'cpuset.cpus=0-1',
    'cpuset.mems=0',
    'pids.max=5',
    'blkio.weight=500',
    'blkio.weight_device=8:0 10',
    'blkio.throttle.read_bps_device=8:0 1',
    'blkio.throttle.write_iops_device=8:16 2',
    'hugetlb.2MB.limit_in_bytes=4194304',
    'hugetlb.2MB.rsvd.limit_in_bytes=4194304',
    'net_cls.classid=9',
    'net_prio.ifpriomap=lo 3',
    'rdma.max=mlx5_0 hca_handle=3 hca_object=4',
  ]);
  test.end();
});

void t.test('v1: memory details', (test) => {
  const memory = { swappiness: 0, disableOOMKiller: true, kernelTCP: 9 };
  test.same(lines(v1Limits({ memory })), [
    'memory.kmem.tcp.limit_in_bytes=9',
    'memory.swappiness=0',
    'memory.oom_control=1',
  ]);
  test.same(lines(v1Limits({ memory: { limit: -1 } })), [
    'memory.limit_in_bytes=-1',
    'memory.memsw.limit_in_bytes=-1',
  ]);
  test.end();
});

void t.test('v2: files, values and their order', (test) => {
  const resources = {
    ...everything,
    unified: { 'memory.high': '900', 'io.latency': '8:0 target=1\n8:16 target=2' },
  };
  test.same(lines(v2Limits(resources)), [
    'memory.swap.max=2000',
    'memory.max=1000',
    'memory.low=500',
    'cpu.idle=0',
    'cpu.weight=100',
    'cpu.max=5000 10000',
    'cpu.max.burst=100',
    'cpuset.cpus=0-1',
    'cpuset.mems=0',
    'pids.max=5',
    'io.bfq.weight=500',
    'io.bfq.weight=8:0 10',
    'io.max=8:0 rbps=1',
    'io.max=8:16 wiops=2',
    'hugetlb.2MB.max=4194304',
    'hugetlb.2MB.rsvd.max=4194304',
    'rdma.max=mlx5_0 hca_handle=3 hca_object=4',
    'memory.high=900',
    'io.latency=8:0 target=1',
    'io.latency=8:16 target=2',
  ]);
  test.end();
});

void t.test('v2: a rate of 0 takes a throttle away, as it does on v1', (test) => {
  const throttleReadIOPSDevice = [{ major: 8, minor: 0, rate: 0 }];
  test.same(lines(v2Limits({ blockIO: { throttleReadIOPSDevice } })), ['io.max=8:0 riops=max']);
  test.end();
});

void t.test('conversions from v1 numbers', (test) => {
  for (const [shares, weight] of [
    [2, 1],
    [1024, 100],
    [262_144, 10_000],
    [1n << 40n, 10_000],
  ] as const) {
    test.equal(sharesToWeight(shares), weight, `shares ${shares}`);
  }
  for (const [blkio, io] of [
    [10, 1],
    [500, 4950],
    [1000, 10_000],
  ] as const) {
    test.equal(blkioToIoWeight(blkio), io, `weight ${blkio}`);
  }
  for (const [swap, limit, expected] of [
    [undefined, 100, undefined],
    [undefined, -1, 'max'],
    [0, 100, undefined],
    [-1, 100, 'max'],
    [100, 100, '0'],
    [2n ** 60n, 1, String(2n ** 60n - 1n)],
  ] as const) {
    test.equal(swapMax(swap, limit), expected, `swap ${swap} limit ${limit}`);
  }
  test.same(lines(v2Limits({ cpu: { quota: -1 } })), ['cpu.max=max 100000']);
  test.same(lines(v2Limits({ cpu: { idle: 1, shares: 512 } })), ['cpu.idle=1']);
  test.same(lines(v2Limits({ pids: { limit: -1 } })), ['pids.max=max']);
  test.end();
});

void t.test('what cannot be done is refused by field', (test) => {
  const device = { major: 8, minor: 0, leafWeight: 10 };
  const v2: [string, OciResources][] = [
    ['memory.swappiness', { memory: { swappiness: 1 } }],
    ['memory.disableOOMKiller', { memory: { disableOOMKiller: true } }],
    ['memory.kernelTCP', { memory: { kernelTCP: 1 } }],
    ['memory.useHierarchy', { memory: { useHierarchy: false } }],
    ['memory.swap', { memory: { swap: 100 } }],
    ['memory.swap', { memory: { swap: 100, limit: 200 } }],
    ['cpu.realtimeRuntime', { cpu: { realtimeRuntime: 1 } }],
    ['cpu.realtimePeriod', { cpu: { realtimePeriod: 1 } }],
    ['blockIO.leafWeight', { blockIO: { leafWeight: 10 } }],
    ['blockIO.weightDevice[0].leafWeight', { blockIO: { weightDevice: [device] } }],
    ['network.classID', { network: { classID: 1 } }],
    ['network.priorities', { network: { priorities: [{ name: 'lo', priority: 1 }] } }],
    ['unified.cgroup.procs', { unified: { 'cgroup.procs': '1' } }],
    ['unified.../memory.max', { unified: { '../memory.max': '1' } }],
    ['hugepageLimits[0].pageSize', { hugepageLimits: [{ pageSize: '../2MB', limit: 1 }] }],
  ];
  for (const [field, resources] of v2) {
    test.throws(
      () => v2Limits(resources),
      { name: 'TurfError', path: `linux.resources.${field}` },
      `v2 ${field}`,
    );
  }
  test.throws(() => v1Limits({ unified: { 'memory.high': '1' } }), {
    name: 'TurfError',
    path: 'linux.resources.unified',
  });
  test.throws(() => v1Limits({ memory: { useHierarchy: false } }), {
    name: 'TurfError',
    path: 'linux.resources.memory.useHierarchy',
  });
  test.end();
});
