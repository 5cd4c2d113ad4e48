import t from 'tap';
import { cgroupUsage } from '../../../../daemon/cgroups/usage.js';

void t.test('v2 in the schema of runc', (test) => {
  const directory = test.testdir({
    'cpu.stat':
      'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 2\nthrottled_usec 7\n',
    'cpu.pressure':
      'some avg10=0.12 avg60=0.00 avg300=0.00 total=345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=6\n',
    'cpuset.cpus.effective': '0-1,3\n',
    'cpuset.mems.effective': '0\n',
    'memory.current': '1000\n',
    'memory.max': '2000\n',
    'memory.peak': '1500\n',
    'memory.swap.current': '10\n',
    'memory.swap.max': 'max\n',
    'memory.stat': 'anon 1\nfile 400\n',
    'pids.current': '3\n',
    'pids.max': 'max\n',
    'io.stat': '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n',
    'hugetlb.2MB.current': '4096\n',
    'hugetlb.2MB.rsvd.current': '8192\n',
    'hugetlb.2MB.events': 'max 5\n',
  });
  const unified = { controllers: [], directory, made: true };
  test.same(cgroupUsage({ manager: 'cgroupfs', mode: 'v2', path: '/x', hierarchies: [], unified }), {
    cpu: {
      usage: { total: 30_000n, kernel: 10_000n, user: 20_000n },
      throttling: { periods: 4n, throttledPeriods: 2n, throttledTime: 7000n },
      psi: {
        some: { avg10: 0.12, avg60: 0, avg300: 0, total: 345n },
        full: { avg10: 0, avg60: 0, avg300: 0, total: 6n },
      },
    },
    cpuset: {
      cpus: [0, 1, 3],
      cpu_exclusive: 0,
      mems: [0],
      mem_hardwall: 0,
      mem_exclusive: 0,
      memory_migrate: 0,
      memory_spread_page: 0,
      memory_spread_slab: 0,
      memory_pressure: 0,
      sched_load_balance: 0,
      sched_relax_domain_level: 0,
    },
    memory: {
      cache: 400n,
      usage: { limit: 2000n, usage: 1000n, max: 1500n, failcnt: 0n },
      swap: { limit: 2n ** 64n - 1n, usage: 1010n, failcnt: 0n },
      kernel: { limit: 0n, failcnt: 0n },
      kernelTCP: { limit: 0n, failcnt: 0n },
      raw: { anon: 1n, file: 400n },
    },
    pids: { current: 3n },
    blkio: {
      ioServiceBytesRecursive: [
        { major: 8n, op: 'Read', value: 1n },
        { major: 8n, op: 'Write', value: 2n },
        { major: 8n, op: 'Discard' },
      ],
      ioServicedRecursive: [
        { major: 8n, op: 'Read', value: 3n },
        { major: 8n, op: 'Write', value: 4n },
        { major: 8n, op: 'Discard' },
      ],
    },
    hugetlb: { '2MB': { usage: 8192n, failcnt: 5n } },
  });
  test.end();
});

void t.test('a cgroup that has gone uses nothing', (test) => {
  const hierarchies = [{ controllers: ['memory'], directory: '/nonexistent', made: true }];
  test.match(cgroupUsage({ manager: 'cgroupfs', mode: 'v1', path: '/x', hierarchies }), {
    memory: { usage: { limit: 0n, failcnt: 0n } },
    pids: {},
    blkio: {},
    hugetlb: {},
  });
  test.end();
});
